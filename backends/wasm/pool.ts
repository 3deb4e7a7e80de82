import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { AvgPool3DGrad, AvgPoolGrad, MaxPool3D, MaxPool3DGrad, MaxPoolGrad } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { type PoolAttributes, type PoolSizes, poolSizes } from "../pooling.js";
import { addressOf, output, type TrainingKernels, trainingKernels, withScratch } from "./training-kernels.js";

/**
 * Pooling. The backend's own gradients lose the gradient of a window whose maximum is not positive, and take a mean
 * over the whole window where part of it is outside; over volumes even its maximum is never below zero.
 */
export function registerPooling(): void {
  replaceKernel("wasm", MaxPool3D, maxPool);
  for (const name of [MaxPoolGrad, MaxPool3DGrad]) replaceKernel("wasm", name, maxPoolGradient);
  for (const name of [AvgPoolGrad, AvgPool3DGrad]) replaceKernel("wasm", name, averagePoolGradient);
}

function describe(kernels: TrainingKernels, x: TensorInfo, attrs: PoolAttributes): PoolSizes {
  const sizes = poolSizes(x.shape, attrs);
  const { input, channels, output: out, window, strides, pad } = sizes;
  kernels.poolDescribe(...input, channels, ...out, ...window, ...strides, ...pad);
  return sizes;
}

function maxPool(call: KernelCall<{ x: TensorInfo }, PoolAttributes>): TensorInfo {
  const backend = call.backend as BackendWasm;
  const { x } = call.inputs;
  const kernels = trainingKernels(backend);
  const { batch, outShape } = describe(kernels, x, call.attrs);
  return output(backend, outShape, (y) =>
    withScratch(backend, kernels.poolScratchBytes(), (scratch) =>
      kernels.maxPool(batch, addressOf(backend, x), y, scratch),
    ),
  );
}

type GradientCall = KernelCall<{ dy: TensorInfo; input: TensorInfo }, PoolAttributes>;

function maxPoolGradient({ inputs: { dy, input }, attrs, backend: anyBackend }: GradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batch } = describe(kernels, input, attrs);
  return output(backend, input.shape, (dx) =>
    withScratch(backend, kernels.poolScratchBytes(), (scratch) =>
      kernels.maxPoolGradient(batch, addressOf(backend, dy), addressOf(backend, input), dx, scratch),
    ),
  );
}

function averagePoolGradient({ inputs: { dy, input }, attrs, backend: anyBackend }: GradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batch } = describe(kernels, input, attrs);
  return output(backend, input.shape, (dx) =>
    withScratch(backend, kernels.poolScratchBytes(), (scratch) =>
      kernels.averagePoolGradient(batch, addressOf(backend, dy), dx, scratch),
    ),
  );
}
