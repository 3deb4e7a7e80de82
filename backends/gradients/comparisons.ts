import {
  All,
  Any,
  Equal,
  fill,
  Greater,
  Less,
  LessEqual,
  LogicalAnd,
  LogicalNot,
  LogicalOr,
  NotEqual,
  registerGradient,
  type Tensor,
} from "../../tasks/tfjs/core.js";

/**
 * Comparisons and logic are constant almost everywhere, so their gradients are zero. tfjs has gradients for only one of
 * them, and so fails on masks and thresholds, which layers compute from their inputs.
 */
export function registerComparisons(): void {
  for (const kernelName of [Equal, NotEqual, Greater, Less, LessEqual, LogicalAnd, LogicalOr]) {
    registerGradient({
      kernelName,
      inputsToSave: ["a", "b"],
      gradFunc: (_, [a, b]) => ({ a: () => zeros(a), b: () => zeros(b) }),
    });
  }
  for (const kernelName of [LogicalNot, All, Any]) {
    registerGradient({ kernelName, inputsToSave: ["x"], gradFunc: (_, [x]) => ({ x: () => zeros(x) }) });
  }
}

/** Zeros in a tensor's shape. They are float32, as gradients are, and filled in by the backend, not in JavaScript. */
const zeros = ({ shape }: Tensor): Tensor => fill(shape, 0);
