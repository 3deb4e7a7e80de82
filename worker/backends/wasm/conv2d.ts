import {
  backend_util,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  type KernelFunc,
  Reverse,
  Slice,
  Transpose,
} from "@tensorflow/tfjs-core";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";

/**
 * The gradients of a convolution, as convolutions: the forward kernel is the fast one.
 *
 * - For the filter: batch and channels change places, so that x, with its channels as the batch, is convolved with
 *   dy as the filter; the forward stride becomes the dilation.
 * - For the input, at stride 1: dy is convolved with the filter turned by 180° and its channels swapped.
 */

interface Conv2DAttributes {
  strides: [number, number] | number;
  pad: "valid" | "same" | number | [number, number][];
  dataFormat: "NHWC" | "NCHW";
  dimRoundingMode?: "floor" | "round" | "ceil";
}

export function registerConv2DGradients(): void {
  replaceKernel("wasm", Conv2DBackpropFilter, conv2dBackpropFilter);
  replaceKernel("wasm", Conv2DBackpropInput, conv2dBackpropInput);
}

function shapeOf(attrs: Conv2DAttributes, input: number[], filter: number[]): backend_util.Conv2DInfo {
  const format = backend_util.convertConv2DDataFormat(attrs.dataFormat);
  return backend_util.computeConv2DInfo(
    input as [number, number, number, number],
    filter as [number, number, number, number],
    attrs.strides,
    1,
    attrs.pad as "same",
    attrs.dimRoundingMode,
    false,
    format,
  );
}

const explicit = (top: number, bottom: number, left: number, right: number): Partial<Record<string, unknown>> => ({
  pad: [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ],
  dataFormat: "NHWC",
  strides: 1,
  dilations: 1,
});

function conv2dBackpropFilter(
  call: KernelCall<{ x: TensorInfo; dy: TensorInfo }, Conv2DAttributes & { filterShape: number[] }>,
): TensorInfo {
  const { x, dy } = call.inputs;
  const info = shapeOf(call.attrs, x.shape, call.attrs.filterShape);
  // Padding after the end so that the result is exactly the filter's size; where it is negative, x is cropped.
  const after = (size: number, before: number, filter: number, out: number, stride: number): number =>
    filter - 1 + (out - 1) * stride + 1 - size - before;
  const bottom = after(info.inHeight, info.padInfo.top, info.filterHeight, info.outHeight, info.strideHeight);
  const right = after(info.inWidth, info.padInfo.left, info.filterWidth, info.outWidth, info.strideWidth);
  return compose("wasm", call.backend, (run) => {
    let swapped = run(Transpose, { x }, { perm: [3, 1, 2, 0] });
    if (bottom < 0 || right < 0) {
      const size = [info.inChannels, info.inHeight + Math.min(0, bottom), info.inWidth + Math.min(0, right), -1];
      size[3] = info.batchSize;
      swapped = run(Slice, { x: swapped }, { begin: [0, 0, 0, 0], size });
    }
    const filter = run(Transpose, { x: dy }, { perm: [1, 2, 0, 3] });
    const convolved = run(
      Conv2D,
      { x: swapped, filter },
      {
        ...explicit(info.padInfo.top, Math.max(0, bottom), info.padInfo.left, Math.max(0, right)),
        dilations: [info.strideHeight, info.strideWidth],
      },
    );
    return run(Transpose, { x: convolved }, { perm: [1, 2, 0, 3] });
  });
}

function conv2dBackpropInput(
  call: KernelCall<{ dy: TensorInfo; filter: TensorInfo }, Conv2DAttributes & { inputShape: number[] }>,
  original: KernelFunc | undefined,
): TensorInfo {
  const { dy, filter } = call.inputs;
  const info = shapeOf(call.attrs, call.attrs.inputShape, filter.shape);
  const { top, left, bottom, right } = info.padInfo;
  const before = [info.filterHeight - 1 - top, info.filterWidth - 1 - left];
  const after = [info.filterHeight - 1 - bottom, info.filterWidth - 1 - right];
  const plain = info.strideHeight === 1 && info.strideWidth === 1 && Math.min(...before, ...after) >= 0;
  if (!plain) return original!(call as never) as TensorInfo;
  return compose("wasm", call.backend, (run) => {
    const turned = run(Reverse, { x: filter }, { dims: [0, 1] });
    const swapped = run(Transpose, { x: turned }, { perm: [0, 1, 3, 2] });
    return run(Conv2D, { x: dy, filter: swapped }, explicit(before[0], after[0], before[1], after[1]));
  });
}
