import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { AvgPoolGrad, backend_util, MaxPoolGrad } from "@tensorflow/tfjs-core";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { addressOf, output, type PoolSizes, trainingKernels } from "./training-kernels.js";

/**
 * The gradients of 2-D pooling. The backend's own lose the gradient of a window whose maximum is not positive, and
 * take a mean over the whole window where part of it lies outside the image.
 */

interface PoolAttributes {
  filterSize: [number, number] | number;
  strides: [number, number] | number;
  pad: "valid" | "same" | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

export function registerPoolGradients(): void {
  replaceKernel("wasm", MaxPoolGrad, maxPoolGradient);
  replaceKernel("wasm", AvgPoolGrad, averagePoolGradient);
}

function poolSizes(x: TensorInfo, { filterSize, strides, pad, dimRoundingMode }: PoolAttributes): PoolSizes {
  const shape = x.shape as [number, number, number, number];
  const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  return [
    ...shape,
    ...([info.outHeight, info.outWidth] as const),
    ...([info.filterHeight, info.filterWidth] as const),
    ...([info.strideHeight, info.strideWidth] as const),
    ...([info.padInfo.top, info.padInfo.left] as const),
  ];
}

type PoolGradientCall = KernelCall<{ dy: TensorInfo; input: TensorInfo }, PoolAttributes>;

function maxPoolGradient({ inputs: { dy, input }, attrs, backend: anyBackend }: PoolGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  return output(backend, input.shape, (dx) => {
    const addresses = [addressOf(backend, dy), addressOf(backend, input), dx] as const;
    trainingKernels(backend).maxPoolGradient(...poolSizes(input, attrs), ...addresses);
  });
}

function averagePoolGradient({ inputs: { dy, input }, attrs, backend: anyBackend }: PoolGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  return output(backend, input.shape, (dx) => {
    trainingKernels(backend).averagePoolGradient(...poolSizes(input, attrs), addressOf(backend, dy), dx);
  });
}
