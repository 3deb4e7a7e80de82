import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { util } from "../../tasks/tfjs/core.js";
import { RELU_GRADIENT } from "../gradients/relu.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

export function registerReluGradient(): void {
  replaceKernel("wasm", RELU_GRADIENT, reluGradient);
}

type Call = KernelCall<{ dy: TensorInfo; y: TensorInfo }, unknown>;

function reluGradient({ inputs: { dy, y }, backend: anyBackend }: Call): TensorInfo {
  const backend = anyBackend as BackendWasm;
  return output(backend, y.shape, (dx) => {
    const addresses = [addressOf(backend, dy), addressOf(backend, y), dx] as const;
    trainingKernels(backend).reluGradient(util.sizeFromShape(y.shape), ...addresses);
  });
}
