import { backend_util } from "../tasks/tfjs/core.js";

/** The attributes of tfjs's convolution kernels; pairs for images, triples for volumes. */
export interface ConvolutionAttributes {
  strides: number[] | number;
  pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  /** 1 if absent. */
  dilations?: number[] | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
  dataFormat?: "NHWC" | "NCHW" | "NDHWC" | "NCDHW";
}

type Triple = [depth: number, height: number, width: number];

/** A convolution over volumes; an image is a volume of depth 1. */
export interface ConvolutionSizes {
  batch: number;
  channels: number;
  /** Output channels; for a depthwise convolution, those of each input channel. */
  filters: number;
  input: Triple;
  filter: Triple;
  output: Triple;
  strides: Triple;
  dilations: Triple;
  /** Points of padding before the first point: front, top, left. */
  pad: Triple;
  /** The shape of the result, of the same rank as x. */
  outShape: number[];
}

/** The sizes of convolving x (batch, …spatial, channels) with a filter (…spatial, channels, filters). */
export function convolutionSizes(
  attrs: ConvolutionAttributes,
  x: number[],
  filter: number[],
  depthwise = false,
): ConvolutionSizes {
  if (attrs.dataFormat?.startsWith("NC")) throw new Error("Convolutions take channels last only.");
  const filters = filter[filter.length - 1];
  if (x.length === 5) return { ...volumeSizes(attrs, x, filter), filters };
  const info = backend_util.computeConv2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number, number],
    attrs.strides as [number, number],
    (attrs.dilations ?? 1) as [number, number],
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
  );
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    filters,
    input: [1, info.inHeight, info.inWidth],
    filter: [1, info.filterHeight, info.filterWidth],
    output: [1, info.outHeight, info.outWidth],
    strides: [1, info.strideHeight, info.strideWidth],
    dilations: [1, info.dilationHeight, info.dilationWidth],
    pad: [0, info.padInfo.top, info.padInfo.left],
    outShape: info.outShape,
  };
}

function volumeSizes(attrs: ConvolutionAttributes, x: number[], filter: number[]): Omit<ConvolutionSizes, "filters"> {
  const info = backend_util.computeConv3DInfo(
    x as [number, number, number, number, number],
    filter as [number, number, number, number, number],
    attrs.strides as Triple,
    (attrs.dilations ?? 1) as Triple,
    attrs.pad as "same",
  );
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    input: [info.inDepth, info.inHeight, info.inWidth],
    filter: [info.filterDepth, info.filterHeight, info.filterWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilations: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    pad: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
    outShape: info.outShape,
  };
}
