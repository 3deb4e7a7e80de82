import { engine, Relu, registerGradient, type Tensor } from "../../tasks/tfjs/core.js";

/** The name of our kernel for relu's gradient, on every backend: inputs dy and y, output dx, all of one shape. */
export const RELU_GRADIENT = "IsobatchReluGradient";

/**
 * relu's gradient in one pass over its output. tfjs's own takes three over the input (Step, Cast, Multiply), and on
 * TensorFlow six. Where y is NaN, dx is dy.
 */
export function registerRelu(): void {
  registerGradient({
    kernelName: Relu,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => engine().runKernel(RELU_GRADIENT, { dy: dy as Tensor, y }) as Tensor }),
  });
}
