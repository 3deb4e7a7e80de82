import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  Add,
  type backend_util,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  FusedConv2D,
} from "@tensorflow/tfjs-core";
import { type ConvolutionAttributes, convolutionSizes } from "../convolution.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { activate, type FusedActivation } from "./activation.js";
import { addressOf, output, type TrainingKernels, trainingKernels, withScratch } from "./training-kernels.js";

/** 2-D convolution and its gradients, at any stride, dilation and padding, channels last. */

export function registerConv2D(): void {
  replaceKernel("wasm", Conv2D, (call: KernelCall<{ x: TensorInfo; filter: TensorInfo }, ConvolutionAttributes>) =>
    forward(call.backend as BackendWasm, call.inputs.x, call.inputs.filter, call.attrs),
  );
  replaceKernel("wasm", FusedConv2D, fusedForward);
  replaceKernel("wasm", Conv2DBackpropFilter, filterGradient);
  replaceKernel("wasm", Conv2DBackpropInput, inputGradient);
}

/** The convolution's sizes, which are also handed to the kernels. */
export function describeConvolution(
  kernels: TrainingKernels,
  attrs: ConvolutionAttributes,
  x: number[],
  filter: number[],
  depthwise = false,
): backend_util.Conv2DInfo {
  const info = convolutionSizes(attrs, x, filter, depthwise);
  kernels.conv2dDescribe(
    ...([info.inHeight, info.inWidth, info.inChannels] as const),
    ...([info.filterHeight, info.filterWidth] as const),
    ...([info.outHeight, info.outWidth] as const),
    ...([info.strideHeight, info.strideWidth] as const),
    ...([info.dilationHeight, info.dilationWidth] as const),
    ...([info.padInfo.top, info.padInfo.left] as const),
  );
  return info;
}

function forward(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  attrs: ConvolutionAttributes,
  bias?: TensorInfo,
): TensorInfo {
  const kernels = trainingKernels(backend);
  const { batchSize, outChannels, outShape } = describeConvolution(kernels, attrs, x.shape, filter.shape);
  const pixels = outShape[0] * outShape[1] * outShape[2];
  return output(backend, outShape, (y) => {
    if (bias !== undefined) kernels.repeatRow(pixels, outChannels, addressOf(backend, bias), y);
    const addresses = [addressOf(backend, x), addressOf(backend, filter), y] as const;
    withScratch(backend, kernels.conv2dScratchBytes(batchSize, outChannels), (scratch) =>
      kernels.conv2dForward(batchSize, outChannels, ...addresses, bias !== undefined, scratch),
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
  const { batchSize, outChannels } = describeConvolution(kernels, attrs, x.shape, attrs.filterShape);
  return output(backend, attrs.filterShape, (dFilter) => {
    const addresses = [addressOf(backend, x), addressOf(backend, dy), dFilter] as const;
    withScratch(backend, kernels.conv2dScratchBytes(batchSize, outChannels), (scratch) =>
      kernels.conv2dFilterGradient(batchSize, outChannels, ...addresses, scratch),
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
  const { batchSize, outChannels } = describeConvolution(kernels, attrs, attrs.inputShape, filter.shape);
  return output(backend, attrs.inputShape, (dx) => {
    const addresses = [addressOf(backend, dy), addressOf(backend, filter), dx] as const;
    withScratch(backend, kernels.conv2dScratchBytes(batchSize, outChannels), (scratch) =>
      kernels.conv2dInputGradient(batchSize, outChannels, ...addresses, scratch),
    );
  });
}
