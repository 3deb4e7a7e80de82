import {
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
} from "../../tasks/tfjs/core.js";
import { type ConvolutionAttributes, type ConvolutionSizes, convolutionSizes } from "../convolution.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { tensorOf, valuesOf } from "./values.js";

/**
 * The gradients of convolutions. The backend's own ignore dilation; these do not, and are several times faster.
 * Sums are kept in float64 and rounded once.
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
  const forInput = [Conv2DBackpropInput, Conv3DBackpropInputV2, DepthwiseConv2dNativeBackpropInput];
  const forFilter = [Conv2DBackpropFilter, Conv3DBackpropFilterV2, DepthwiseConv2dNativeBackpropFilter];
  for (const name of forInput) {
    const depthwise = name === DepthwiseConv2dNativeBackpropInput;
    replaceKernel("cpu", name, (call: InputGradientCall) => inputGradient(call, depthwise));
  }
  for (const name of forFilter) {
    const depthwise = name === DepthwiseConv2dNativeBackpropFilter;
    replaceKernel("cpu", name, (call: FilterGradientCall) => filterGradient(call, depthwise));
  }
}

/**
 * Calls `visit` for every output pixel and every place of its window inside the volume, with the element
 * numbers of that pixel's first channel in x and in y and of that place's first weight in the filter.
 */
function forWindows(
  sizes: ConvolutionSizes,
  depthwise: boolean,
  visit: (x: number, y: number, weight: number) => void,
): void {
  const { batch, channels, filters, input, filter, output, strides, dilations, pad } = sizes;
  const yChannels = depthwise ? channels * filters : filters;
  const at = (axis: number, o: number, w: number): number => o * strides[axis] - pad[axis] + w * dilations[axis];
  let y = 0;
  for (let n = 0; n < batch; n++) {
    for (let h = 0; h < output[0]; h++) {
      for (let i = 0; i < output[1]; i++) {
        for (let j = 0; j < output[2]; j++, y += yChannels) {
          for (let o = 0; o < filter[0]; o++) {
            const plane = at(0, h, o);
            if (plane < 0 || plane >= input[0]) continue;
            for (let p = 0; p < filter[1]; p++) {
              const row = at(1, i, p);
              if (row < 0 || row >= input[1]) continue;
              for (let q = 0; q < filter[2]; q++) {
                const column = at(2, j, q);
                if (column < 0 || column >= input[2]) continue;
                const x = (((n * input[0] + plane) * input[1] + row) * input[2] + column) * channels;
                visit(x, y, ((o * filter[1] + p) * filter[2] + q) * channels * filters);
              }
            }
          }
        }
      }
    }
  }
}

function inputGradient({ inputs, attrs, backend }: InputGradientCall, depthwise: boolean): TensorInfo {
  const sizes = convolutionSizes(attrs, attrs.inputShape, inputs.filter.shape, depthwise);
  const { channels, filters } = sizes;
  const [dy, filter] = [valuesOf(backend, inputs.dy), valuesOf(backend, inputs.filter)];
  const dx = new Float64Array(sizes.batch * sizes.input[0] * sizes.input[1] * sizes.input[2] * channels);
  forWindows(sizes, depthwise, (x, y, weight) => {
    for (let c = 0; c < channels; c++, weight += filters) {
      const out = depthwise ? y + c * filters : y;
      let sum = 0;
      for (let f = 0; f < filters; f++) sum += dy[out + f] * filter[weight + f];
      dx[x + c] += sum;
    }
  });
  return tensorOf(backend, attrs.inputShape, dx);
}

function filterGradient({ inputs, attrs, backend }: FilterGradientCall, depthwise: boolean): TensorInfo {
  const sizes = convolutionSizes(attrs, inputs.x.shape, attrs.filterShape, depthwise);
  const { channels, filters } = sizes;
  const [x, dy] = [valuesOf(backend, inputs.x), valuesOf(backend, inputs.dy)];
  const dFilter = new Float64Array(sizes.filter[0] * sizes.filter[1] * sizes.filter[2] * channels * filters);
  forWindows(sizes, depthwise, (point, y, weight) => {
    for (let c = 0; c < channels; c++, weight += filters) {
      const out = depthwise ? y + c * filters : y;
      const value = x[point + c];
      for (let f = 0; f < filters; f++) dFilter[weight + f] += value * dy[out + f];
    }
  });
  return tensorOf(backend, attrs.filterShape, dFilter);
}
