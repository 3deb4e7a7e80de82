import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  Add,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  Conv3D,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  FusedConv2D,
} from "../../tasks/tfjs/core.js";
import { type ConvolutionAttributes, type ConvolutionSizes, convolutionSizes } from "../convolution.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { activate, type FusedActivation } from "./activation.js";
import { addressOf, output, type TrainingKernels, trainingKernels, withScratch } from "./training-kernels.js";

/**
 * Convolutions over images and volumes and their gradients, at any stride, dilation and padding. The backend lacks
 * the filter's gradient for images, has a slow one for their input, and wrong ones for volumes.
 */
export function registerConvolutions(): void {
  const plain = (call: KernelCall<{ x: TensorInfo; filter: TensorInfo }, ConvolutionAttributes>): TensorInfo =>
    forward(call.backend as BackendWasm, call.inputs.x, call.inputs.filter, call.attrs);
  for (const name of [Conv2D, Conv3D]) replaceKernel("wasm", name, plain);
  replaceKernel("wasm", FusedConv2D, fusedForward);
  for (const name of [Conv2DBackpropFilter, Conv3DBackpropFilterV2]) replaceKernel("wasm", name, filterGradient);
  for (const name of [Conv2DBackpropInput, Conv3DBackpropInputV2]) replaceKernel("wasm", name, inputGradient);
}

/** The convolution's sizes, which are also passed to the kernels. */
export function describeConvolution(
  kernels: TrainingKernels,
  attrs: ConvolutionAttributes,
  x: number[],
  filter: number[],
  depthwise = false,
): ConvolutionSizes {
  const sizes = convolutionSizes(attrs, x, filter, depthwise);
  kernels.convolutionDescribe(
    ...sizes.input,
    sizes.channels,
    ...sizes.filter,
    ...sizes.output,
    ...sizes.strides,
    ...sizes.dilations,
    ...sizes.pad,
  );
  return sizes;
}

function forward(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  attrs: ConvolutionAttributes,
  bias?: TensorInfo,
): TensorInfo {
  const kernels = trainingKernels(backend);
  const { batch, filters, output: out, outShape } = describeConvolution(kernels, attrs, x.shape, filter.shape);
  return output(backend, outShape, (y) => {
    if (bias !== undefined) {
      kernels.repeatRow(batch * out[0] * out[1] * out[2], filters, addressOf(backend, bias), y);
    }
    const addresses = [addressOf(backend, x), addressOf(backend, filter), y] as const;
    withScratch(backend, kernels.convolutionScratchBytes(batch, filters), (scratch) =>
      kernels.convolutionForward(batch, filters, ...addresses, bias !== undefined, scratch),
    );
  });
}

interface FusedInputs {
  x: TensorInfo;
  filter: TensorInfo;
  bias?: TensorInfo;
  preluActivationWeights?: TensorInfo;
}

function fusedForward(call: KernelCall<FusedInputs, ConvolutionAttributes & FusedActivation>): TensorInfo {
  const { x, filter, bias, preluActivationWeights } = call.inputs;
  const perChannel = bias !== undefined && bias.shape.length === 1 && bias.shape[0] === filter.shape[3];
  return compose("wasm", call.backend, (run) => {
    const backend = call.backend as BackendWasm;
    const convolved = run.own(forward(backend, x, filter, call.attrs, perChannel ? bias : undefined));
    const sum = bias === undefined || perChannel ? convolved : run(Add, { a: convolved, b: bias });
    return activate(run, sum, call.attrs, preluActivationWeights);
  });
}

type FilterGradientCall = KernelCall<
  { x: TensorInfo; dy: TensorInfo },
  ConvolutionAttributes & { filterShape: number[] }
>;

function filterGradient({ inputs: { x, dy }, attrs, backend: anyBackend }: FilterGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batch, filters } = describeConvolution(kernels, attrs, x.shape, attrs.filterShape);
  return output(backend, attrs.filterShape, (dFilter) => {
    const addresses = [addressOf(backend, x), addressOf(backend, dy), dFilter] as const;
    withScratch(backend, kernels.convolutionScratchBytes(batch, filters), (scratch) =>
      kernels.convolutionFilterGradient(batch, filters, ...addresses, scratch),
    );
  });
}

type InputGradientCall = KernelCall<
  { dy: TensorInfo; filter: TensorInfo },
  ConvolutionAttributes & { inputShape: number[] }
>;

function inputGradient({ inputs: { dy, filter }, attrs, backend: anyBackend }: InputGradientCall): TensorInfo {
  const backend = anyBackend as BackendWasm;
  const kernels = trainingKernels(backend);
  const { batch, filters } = describeConvolution(kernels, attrs, attrs.inputShape, filter.shape);
  return output(backend, attrs.inputShape, (dx) => {
    const addresses = [addressOf(backend, dy), addressOf(backend, filter), dx] as const;
    withScratch(backend, kernels.convolutionScratchBytes(batch, filters), (scratch) =>
      kernels.convolutionInputGradient(batch, filters, ...addresses, scratch),
    );
  });
}
