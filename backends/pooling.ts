import { backend_util } from "../tasks/tfjs/core.js";

/** The attributes of tfjs's pooling kernels; pairs for images, triples for volumes. */
export interface PoolAttributes {
  filterSize: number[] | number;
  strides: number[] | number;
  pad: "valid" | "same" | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

type Triple = [depth: number, height: number, width: number];

/** A pooling over volumes; an image is a volume of depth 1. */
export interface PoolSizes {
  batch: number;
  channels: number;
  input: Triple;
  output: Triple;
  window: Triple;
  strides: Triple;
  /** Points of padding before the first point: front, top, left. */
  pad: Triple;
  /** The shape of the result, of the same rank as x. */
  outShape: number[];
}

/** The sizes of pooling x (batch, …spatial, channels). */
export function poolSizes(x: number[], attrs: PoolAttributes): PoolSizes {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  if (x.length === 5) {
    const shape = x as [number, number, number, number, number];
    const [window, step] = [filterSize as Triple, strides as Triple];
    const info = backend_util.computePool3DInfo(shape, window, step, 1, pad, dimRoundingMode);
    return {
      batch: info.batchSize,
      channels: info.inChannels,
      input: [info.inDepth, info.inHeight, info.inWidth],
      output: [info.outDepth, info.outHeight, info.outWidth],
      window: [info.filterDepth, info.filterHeight, info.filterWidth],
      strides: [info.strideDepth, info.strideHeight, info.strideWidth],
      pad: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
      outShape: info.outShape,
    };
  }
  const shape = x as [number, number, number, number];
  const [window, step] = [filterSize as [number, number], strides as [number, number]];
  const info = backend_util.computePool2DInfo(shape, window, step, 1, pad, dimRoundingMode);
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    input: [1, info.inHeight, info.inWidth],
    output: [1, info.outHeight, info.outWidth],
    window: [1, info.filterHeight, info.filterWidth],
    strides: [1, info.strideHeight, info.strideWidth],
    pad: [0, info.padInfo.top, info.padInfo.left],
    outShape: info.outShape,
  };
}
