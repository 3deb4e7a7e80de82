import { RELU_GRADIENT } from "../gradients/relu.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { tensorOf, valuesOf } from "./values.js";

export function registerReluGradient(): void {
  replaceKernel("cpu", RELU_GRADIENT, reluGradient);
}

function reluGradient({ inputs, backend }: KernelCall<{ dy: TensorInfo; y: TensorInfo }, unknown>): TensorInfo {
  const [dy, y] = [valuesOf(backend, inputs.dy), valuesOf(backend, inputs.y)];
  return tensorOf(
    backend,
    inputs.y.shape,
    dy.map((gradient, i) => (y[i] <= 0 ? 0 : gradient)),
  );
}
