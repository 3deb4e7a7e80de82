import {
  add,
  FusedBatchNorm,
  mul,
  neg,
  registerGradient,
  rsqrt,
  scalar,
  sub,
  type Tensor,
} from "../../tasks/tfjs/core.js";
import { sumToShape } from "./broadcast.js";

/**
 * The gradient of (x − mean) / √(variance + ε) · scale + offset, where the statistics are given, as a frozen
 * BatchNormalization's are; they may have any shape that broadcasts to that of x. tfjs's own handles only those of the
 * last axis, and computes all gradients where only some are requested.
 */
export function registerBatchNorm(): void {
  registerGradient({
    kernelName: FusedBatchNorm,
    inputsToSave: ["x", "mean", "variance", "scale"],
    gradFunc: (anyDy, [x, mean, variance, scale], attrs) => {
      const dy = anyDy as Tensor;
      const { varianceEpsilon } = attrs as unknown as { varianceEpsilon: number };
      const inverse = (): Tensor => rsqrt(add(variance, scalar(varianceEpsilon)));
      const sumOfDy = (): Tensor => sumToShape(dy, mean.shape);
      const sumOfNormals = (): Tensor => mul(sumToShape(mul(dy, sub(x, mean)), mean.shape), inverse());
      return {
        x: () => mul(dy, mul(inverse(), scale)),
        mean: () => neg(mul(sumOfDy(), mul(inverse(), scale))),
        variance: () => mul(mul(sumOfNormals(), scale), mul(mul(inverse(), inverse()), scalar(-0.5))),
        scale: sumOfNormals,
        offset: sumOfDy,
      };
    },
  });
}
