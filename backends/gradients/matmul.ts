import { BatchMatMul, matMul, registerGradient, type Tensor } from "../../tasks/tfjs/core.js";
import { sumToShape } from "./broadcast.js";

/** The gradient of a batch of matrix products, one of whose factors may be broadcast, which tfjs's own ignores. */
export function registerMatMul(): void {
  registerGradient({
    kernelName: BatchMatMul,
    inputsToSave: ["a", "b"],
    gradFunc: (anyDy, [a, b], attrs) => {
      const dy = anyDy as Tensor;
      const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const da = (): Tensor => (transposeA ? matMul(b, dy, transposeB, true) : matMul(dy, b, false, !transposeB));
      const db = (): Tensor => (transposeB ? matMul(dy, a, true, transposeA) : matMul(a, dy, !transposeA, false));
      return { a: () => sumToShape(da(), a.shape), b: () => sumToShape(db(), b.shape) };
    },
  });
}
