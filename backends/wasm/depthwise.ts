import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  Add,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  FusedDepthwiseConv2D,
} from "../../tasks/tfjs/core.js";
import type { ConvolutionAttributes } from "../convolution.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { activate, type FusedActivation } from "./activation.js";
import { describeConvolution } from "./convolution.js";
import { addressOf, output, trainingKernels } from "./training-kernels.js";

/**
 * Depthwise convolution. The backend has no gradients for it, and its forward kernel gives zeros for some strides
 * under "same" padding.
 */
export function registerDepthwise(): void {
  replaceKernel("wasm", DepthwiseConv2dNative, forward);
  replaceKernel("wasm", FusedDepthwiseConv2D, fusedForward);
  replaceKernel("wasm", DepthwiseConv2dNativeBackpropInput, inputGradient);
  replaceKernel("wasm", DepthwiseConv2dNativeBackpropFilter, filterGradient);
}

type ForwardCall = KernelCall<{ x: TensorInfo; filter: TensorInfo }, ConvolutionAttributes>;

function forward({ inputs: { x, filter }, attrs, backend: anyBackend }: ForwardCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batch, filters, outShape } = describeConvolution(kernels, attrs, x.shape, filter.shape, true);
  return output(backend, outShape, (y) => {
    const addresses = [addressOf(backend, x), addressOf(backend, filter), y] as const;
    kernels.depthwiseForward(batch, filters, ...addresses);
  });
}

interface FusedInputs {
  x: TensorInfo;
  filter: TensorInfo;
  bias?: TensorInfo;
  preluActivationWeights?: TensorInfo;
}

function fusedForward(call: KernelCall<FusedInputs, ConvolutionAttributes & FusedActivation>): TensorInfo {
  const { bias, preluActivationWeights } = call.inputs;
  return compose("wasm", call.backend, (run) => {
    const convolved = run.own(forward(call));
    const sum = bias === undefined ? convolved : run(Add, { a: convolved, b: bias });
    return activate(run, sum, call.attrs, preluActivationWeights);
  });
}

type InputGradientCall = KernelCall<
  { dy: TensorInfo; filter: TensorInfo },
  ConvolutionAttributes & { inputShape: number[] }
>;

function inputGradient({ inputs: { dy, filter }, attrs, backend: anyBackend }: InputGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batch, filters } = describeConvolution(kernels, attrs, attrs.inputShape, filter.shape, true);
  return output(backend, attrs.inputShape, (dx) => {
    const addresses = [addressOf(backend, dy), addressOf(backend, filter), dx] as const;
    kernels.depthwiseInputGradient(batch, filters, ...addresses);
  });
}

type FilterGradientCall = KernelCall<
  { x: TensorInfo; dy: TensorInfo },
  ConvolutionAttributes & { filterShape: number[] }
>;

function filterGradient({ inputs: { x, dy }, attrs, backend: anyBackend }: FilterGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batch, filters } = describeConvolution(kernels, attrs, x.shape, attrs.filterShape, true);
  return output(backend, attrs.filterShape, (dFilter) => {
    const addresses = [addressOf(backend, x), addressOf(backend, dy), dFilter] as const;
    kernels.depthwiseFilterGradient(batch, filters, ...addresses);
  });
}
