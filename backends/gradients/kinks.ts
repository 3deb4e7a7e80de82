import {
  Abs,
  add,
  backend_util,
  engine,
  exp,
  greaterEqual,
  mul,
  neg,
  Prelu,
  registerGradient,
  Selu,
  scalar,
  sign,
  type Tensor,
  where,
} from "../../tasks/tfjs/core.js";
import { sumToShape } from "./broadcast.js";
import { RELU_GRADIENT } from "./relu.js";

/**
 * The gradients at 0 of functions that have a kink there: Keras' choice, in place of tfjs's. The choice matters,
 * because some weights start at exactly 0, and rectified inputs often are 0: tfjs's gradient of |x| is −1 at 0, and so
 * an L1 regulariser would push every weight off it.
 */
export function registerKinks(): void {
  registerGradient({
    kernelName: Abs,
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({ x: () => mul(dy as Tensor, sign(x)) }),
  });

  registerGradient({
    kernelName: Selu,
    inputsToSave: ["x"],
    gradFunc: (anyDy, [x]) => {
      const dy = anyDy as Tensor;
      const above = (): Tensor => mul(dy, scalar(backend_util.SELU_SCALE));
      const below = (): Tensor => mul(mul(dy, scalar(backend_util.SELU_SCALEALPHA)), exp(x));
      return { x: () => where(greaterEqual(x, scalar(0)), above(), below()) };
    },
  });

  // The gradient of relu(x) − alpha · relu(−x), as Keras defines PReLU.
  registerGradient({
    kernelName: Prelu,
    inputsToSave: ["x", "alpha"],
    gradFunc: (anyDy, [x, alpha]) => {
      const dy = anyDy as Tensor;
      const dyWherePositive = (y: Tensor): Tensor => engine().runKernel(RELU_GRADIENT, { dy, y }) as Tensor;
      const below = dyWherePositive(neg(x));
      return {
        x: () => add(dyWherePositive(x), mul(below, alpha)),
        alpha: () => sumToShape(mul(below, x), alpha.shape),
      };
    },
  });
}
