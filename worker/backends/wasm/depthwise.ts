import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { DepthwiseConv2dNativeBackpropFilter, DepthwiseConv2dNativeBackpropInput } from "@tensorflow/tfjs-core";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { type ConvolutionAttributes, describeConvolution } from "./conv2d.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

/** The gradients of a depthwise convolution, which the backend lacks. */
export function registerDepthwiseGradients(): void {
  replaceKernel("wasm", DepthwiseConv2dNativeBackpropInput, inputGradient);
  replaceKernel("wasm", DepthwiseConv2dNativeBackpropFilter, filterGradient);
}

type InputGradientCall = KernelCall<
  { dy: TensorInfo; filter: TensorInfo },
  ConvolutionAttributes & { inputShape: number[] }
>;

function inputGradient({ inputs: { dy, filter }, attrs, backend: anyBackend }: InputGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batchSize } = describeConvolution(kernels, attrs, attrs.inputShape, filter.shape, true);
  return output(backend, attrs.inputShape, (dx) => {
    const addresses = [addressOf(backend, dy), addressOf(backend, filter), dx] as const;
    kernels.depthwiseInputGradient(batchSize, filter.shape[3], ...addresses);
  });
}

type FilterGradientCall = KernelCall<
  { x: TensorInfo; dy: TensorInfo },
  ConvolutionAttributes & { filterShape: number[] }
>;

function filterGradient({ inputs: { x, dy }, attrs, backend: anyBackend }: FilterGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batchSize } = describeConvolution(kernels, attrs, x.shape, attrs.filterShape, true);
  return output(backend, attrs.filterShape, (dFilter) => {
    const addresses = [addressOf(backend, x), addressOf(backend, dy), dFilter] as const;
    kernels.depthwiseFilterGradient(batchSize, attrs.filterShape[3], ...addresses);
  });
}
