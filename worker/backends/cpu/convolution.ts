import {
  type backend_util,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
} from "@tensorflow/tfjs-core";
import { type ConvolutionAttributes, convolutionSizes } from "../convolution.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { tensorOf, valuesOf } from "./values.js";

/**
 * The gradients of plain and depthwise convolutions. The backend's own know no dilation; these do, and are several
 * times faster besides. Sums are kept in float64 and rounded once.
 */

type InputGradientCall = KernelCall<
  { dy: TensorInfo; filter: TensorInfo },
  ConvolutionAttributes & { inputShape: number[] }
>;
type FilterGradientCall = KernelCall<
  { x: TensorInfo; dy: TensorInfo },
  ConvolutionAttributes & { filterShape: number[] }
>;

export function registerConvolutionGradients(): void {
  replaceKernel("cpu", Conv2DBackpropInput, (call: InputGradientCall) => inputGradient(call, false));
  replaceKernel("cpu", Conv2DBackpropFilter, (call: FilterGradientCall) => filterGradient(call, false));
  replaceKernel("cpu", DepthwiseConv2dNativeBackpropInput, (call: InputGradientCall) => inputGradient(call, true));
  replaceKernel("cpu", DepthwiseConv2dNativeBackpropFilter, (call: FilterGradientCall) => filterGradient(call, true));
}

/**
 * Calls `visit` for every output pixel and every place of its window that lies inside the image, with the element
 * numbers of that pixel's first channel in x and in y and of that place's first weight in the filter.
 */
function forWindows(info: backend_util.Conv2DInfo, visit: (x: number, y: number, filter: number) => void): void {
  const weights = info.filterShape[2] * info.filterShape[3];
  let y = 0;
  for (let n = 0; n < info.batchSize; n++) {
    for (let i = 0; i < info.outHeight; i++) {
      for (let j = 0; j < info.outWidth; j++, y += info.outChannels) {
        for (let p = 0; p < info.filterHeight; p++) {
          const row = i * info.strideHeight - info.padInfo.top + p * info.dilationHeight;
          if (row < 0 || row >= info.inHeight) continue;
          for (let q = 0; q < info.filterWidth; q++) {
            const column = j * info.strideWidth - info.padInfo.left + q * info.dilationWidth;
            if (column < 0 || column >= info.inWidth) continue;
            const x = ((n * info.inHeight + row) * info.inWidth + column) * info.inChannels;
            visit(x, y, (p * info.filterWidth + q) * weights);
          }
        }
      }
    }
  }
}

function inputGradient({ inputs, attrs, backend }: InputGradientCall, depthwise: boolean): TensorInfo {
  const info = convolutionSizes(attrs, attrs.inputShape, inputs.filter.shape, depthwise);
  const [dy, filter] = [valuesOf(backend, inputs.dy), valuesOf(backend, inputs.filter)];
  const dx = new Float64Array(info.batchSize * info.inHeight * info.inWidth * info.inChannels);
  const outputs = inputs.filter.shape[3]; // of each input channel
  forWindows(info, (x, y, weight) => {
    for (let c = 0; c < info.inChannels; c++, weight += outputs) {
      const out = depthwise ? y + c * outputs : y;
      let sum = 0;
      for (let f = 0; f < outputs; f++) sum += dy[out + f] * filter[weight + f];
      dx[x + c] += sum;
    }
  });
  return tensorOf(backend, attrs.inputShape, dx);
}

function filterGradient({ inputs, attrs, backend }: FilterGradientCall, depthwise: boolean): TensorInfo {
  const info = convolutionSizes(attrs, inputs.x.shape, attrs.filterShape, depthwise);
  const [x, dy] = [valuesOf(backend, inputs.x), valuesOf(backend, inputs.dy)];
  const outputs = attrs.filterShape[3];
  const dFilter = new Float64Array(info.filterHeight * info.filterWidth * info.inChannels * outputs);
  forWindows(info, (point, y, weight) => {
    for (let c = 0; c < info.inChannels; c++, weight += outputs) {
      const out = depthwise ? y + c * outputs : y;
      const value = x[point + c];
      for (let f = 0; f < outputs; f++) dFilter[weight + f] += value * dy[out + f];
    }
  });
  return tensorOf(backend, attrs.filterShape, dFilter);
}
