import {
  All,
  Any,
  Equal,
  Greater,
  Less,
  LessEqual,
  LogicalAnd,
  LogicalNot,
  LogicalOr,
  NotEqual,
  registerGradient,
  zeros,
} from "../../../tasks/tfjs/core.js";

/**
 * Comparisons and logic are constant almost everywhere, so their gradients are zero. tfjs has none for them (but for
 * one), and so fails on masks and thresholds, which layers make of their inputs.
 */
export function registerComparisons(): void {
  for (const kernelName of [Equal, NotEqual, Greater, Less, LessEqual, LogicalAnd, LogicalOr]) {
    registerGradient({
      kernelName,
      inputsToSave: ["a", "b"],
      gradFunc: (_, [a, b]) => ({ a: () => zeros(a.shape), b: () => zeros(b.shape) }),
    });
  }
  for (const kernelName of [LogicalNot, All, Any]) {
    registerGradient({ kernelName, inputsToSave: ["x"], gradFunc: (_, [x]) => ({ x: () => zeros(x.shape) }) });
  }
}
