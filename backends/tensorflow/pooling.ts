/**
 * The gradient of max pooling over volumes. On a CPU TensorFlow's gives the whole gradient to each of a window's equal
 * maxima, so that a tied value counts as often as it occurs; its pooling over images gives it to the first. So a
 * volume's gradient is composed of two poolings over images: first within each plane, then across planes. The first
 * maximum of the first plane that has one is the window's first.
 */
import { MaxPool, MaxPool3DGrad, MaxPoolGrad, Reshape } from "../../tasks/tfjs/core.js";
import { compose, type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { type PoolAttributes, poolSizes } from "../pooling.js";

export function registerMaxPoolGradient(): void {
  replaceKernel("tensorflow", MaxPool3DGrad, maxPoolGradient);
}

type Call = KernelCall<{ dy: TensorInfo; input: TensorInfo; output: TensorInfo }, PoolAttributes>;

function maxPoolGradient({ inputs: { dy, input, output }, attrs, backend }: Call): TensorInfo {
  const { batch, channels, input: inside, output: out, window, strides } = poolSizes(input.shape, attrs);
  const within = { ...attrs, filterSize: window.slice(1), strides: strides.slice(1) };
  const across = { ...attrs, filterSize: [window[0], 1], strides: [strides[0], 1] };
  return compose("tensorflow", backend, (run) => {
    const reshaped = (x: TensorInfo, shape: number[]): TensorInfo => run(Reshape, { x }, { shape });
    const planes = reshaped(input, [batch * inside[0], inside[1], inside[2], channels]);
    const maxima = run(MaxPool, { x: planes }, within);
    // One row per plane, its points next to each other.
    const rows = (x: TensorInfo, depth: number): TensorInfo => reshaped(x, [batch, depth, out[1] * out[2], channels]);
    const ofRows = { dy: rows(dy, out[0]), input: rows(maxima, inside[0]), output: rows(output, out[0]) };
    const ofMaxima = reshaped(run(MaxPoolGrad, ofRows, across), maxima.shape);
    return reshaped(run(MaxPoolGrad, { dy: ofMaxima, input: planes, output: maxima }, within), input.shape);
  });
}
