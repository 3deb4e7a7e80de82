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
} from "../../../tasks/tfjs/core.js";
import { sumToShape } from "./broadcast.js";

/**
 * The gradient of (x − mean) / √(variance + ε) · scale + offset, for statistics of any shape that broadcasts to that
 * of x. tfjs's own knows only those of the last axis.
 */
export function registerBatchNorm(): void {
  registerGradient({
    kernelName: FusedBatchNorm,
    inputsToSave: ["x", "mean", "variance", "scale"],
    gradFunc: (anyDy, [x, mean, variance, scale], attrs) => {
      const dy = anyDy as Tensor;
      const { varianceEpsilon } = attrs as unknown as { varianceEpsilon: number };
      const inverse = rsqrt(add(variance, scalar(varianceEpsilon)));
      const factor = mul(inverse, scale);
      const shape = mean.shape;
      const sumOfDy = sumToShape(dy, shape);
      const sumOfProducts = sumToShape(mul(dy, sub(x, mean)), shape);
      return {
        x: () => mul(dy, factor),
        mean: () => neg(mul(sumOfDy, factor)),
        variance: () => mul(mul(sumOfProducts, factor), mul(mul(inverse, inverse), scalar(-0.5))),
        scale: () => mul(sumOfProducts, inverse),
        offset: () => sumOfDy,
      };
    },
  });
}
