import { backend_util } from "@tensorflow/tfjs-core";

/** What tfjs's convolution kernels are told besides their tensors. */
export interface ConvolutionAttributes {
  strides: [number, number] | number;
  pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  /** 1 if absent. */
  dilations?: [number, number] | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
  dataFormat?: "NHWC" | "NCHW";
}

/** All sizes of a convolution of `x` (batch, height, width, channels) with `filter`; channels come last. */
export function convolutionSizes(
  attrs: ConvolutionAttributes,
  x: number[],
  filter: number[],
  depthwise = false,
): backend_util.Conv2DInfo {
  if (attrs.dataFormat === "NCHW") throw new Error("Gradients of convolutions take channels last (NHWC) only.");
  const [strides, dilations] = [attrs.strides, attrs.dilations ?? 1];
  const shapes = [x, filter] as [number, number, number, number][];
  return backend_util.computeConv2DInfo(
    shapes[0],
    shapes[1],
    strides,
    dilations,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
  );
}
