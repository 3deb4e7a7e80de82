import {
  add,
  conv2d,
  minimum,
  mul,
  ones,
  relu,
  reshape,
  softmax,
  type Tensor,
  tidy,
  transpose,
  zeros,
} from "../../tfjs/core.js";
import { normalizeRows } from "../layers/normalize.js";
import { repairGelu } from "./gelu.js";
import { repairGraphs } from "./graph-call.js";
import { repairMaskedLayers } from "./masked-layers.js";
import { repairSettings } from "./setting-repairs.js";
import { type Call, wrapCall } from "./wrap-call.js";

/**
 * Layers whose own code, not an operation's gradient, keeps them from being trained. Their `call` is wrapped: what it
 * computes stays the same wherever it was right.
 */

interface Variable {
  read(): Tensor;
}

let repaired = false;

export function repairLayers(): void {
  if (repaired) return;
  repaired = true;
  wrapCall<BatchNormalization>("BatchNormalization", normalization);
  wrapCall<LayerNormalization>("LayerNormalization", () => normalizedByRows);
  wrapCall<Convolution>("Conv2D", dilated);
  wrapCall<Softmax>("Softmax", alongAnyAxis);
  wrapCall<Rectifier>("ReLU", relu6);
  repairGelu();
  repairGraphs();
  repairMaskedLayers();
  repairSettings();
}

interface BatchNormalization {
  axis: number;
  gamma?: Variable;
  beta?: Variable;
  movingMean: Variable;
}

/**
 * tfjs reads gamma and beta in training even if the layer was asked to have none, and over any axis but the last it
 * normalizes the wrong numbers together: here that axis becomes the last meanwhile.
 */
function normalization(original: Call<BatchNormalization>): Call<BatchNormalization> {
  return function (inputs, options) {
    this.gamma ??= { read: () => ones(this.movingMean.read().shape) };
    this.beta ??= { read: () => zeros(this.movingMean.read().shape) };
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    const swap = swapWithLast(x, this.axis);
    if (swap === undefined) return original.call(this, inputs, options);
    const { axis } = this;
    this.axis = -1;
    try {
      return tidy(() => transpose(original.call(this, transpose(x, swap), options), swap));
    } finally {
      this.axis = axis;
    }
  };
}

interface LayerNormalization {
  /** Not negative, once the layer is built. */
  axis: number[];
  epsilon: number;
  gamma: Variable | null;
  beta: Variable | null;
}

/**
 * tfjs normalises by way of tiled moments, which takes many passes, and without a gamma or a beta it has no gradient at
 * all. Here the axes become the last ones, and each row of theirs is normalised in one operation.
 */
function normalizedByRows(this: LayerNormalization, inputs: Tensor | Tensor[]): Tensor {
  return tidy(() => {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    const others = x.shape.map((_, i) => i).filter((i) => !this.axis.includes(i));
    const order = [...others, ...this.axis];
    const moved = order.some((axis, i) => axis !== i);
    const ordered = moved ? transpose(x, order) : x;
    const numbers = this.axis.reduce((product, axis) => product * x.shape[axis], 1);
    const normal = reshape(normalizeRows(reshape(ordered, [x.size / numbers, numbers]), this.epsilon), ordered.shape);
    const back = moved
      ? transpose(
          normal,
          order.map((_, axis) => order.indexOf(axis)),
        )
      : normal;
    const shape = x.shape.map((size, i) => (this.axis.includes(i) ? size : 1));
    const scaled = this.gamma ? mul(back, reshape(this.gamma.read(), shape)) : back;
    return this.beta ? add(scaled, reshape(this.beta.read(), shape)) : scaled;
  });
}

/** The permutation that makes `axis` of `x` the last, and back; undefined if it is. */
function swapWithLast(x: Tensor, axis: number): number[] | undefined {
  const last = x.rank - 1;
  const at = axis < 0 ? axis + x.rank : axis;
  if (at === last) return undefined;
  return x.shape.map((_, i) => (i === at ? last : i === last ? at : i));
}

interface Convolution {
  rank: number;
  kernel: Variable;
  bias?: Variable | null;
  strides: [number, number];
  padding: string;
  dilationRate: [number, number];
  dataFormat: string;
  activation: { apply(x: Tensor): Tensor };
}

/** tfjs's fused operation refuses the gradient of a dilated convolution, which the plain one has. */
function dilated(original: Call<Convolution>): Call<Convolution> {
  return function (inputs, options) {
    const { dilationRate, padding, strides } = this;
    const isDilated = this.rank === 2 && dilationRate.some((rate) => rate > 1);
    if (!isDilated || (padding !== "same" && padding !== "valid")) return original.call(this, inputs, options);
    return tidy(() => {
      const channelsFirst = this.dataFormat === "channelsFirst";
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const image = (channelsFirst ? transpose(x, [0, 2, 3, 1]) : x) as Parameters<typeof conv2d>[0];
      const filter = this.kernel.read() as Parameters<typeof conv2d>[1];
      const convolved: Tensor = conv2d(image, filter, strides, padding, "NHWC", dilationRate);
      const sum = this.bias ? add(convolved, this.bias.read()) : convolved;
      return this.activation.apply(channelsFirst ? transpose(sum, [0, 3, 1, 2]) : sum);
    });
  };
}

interface Softmax {
  softmax(x: Tensor, axis: number): Tensor;
}

/** tfjs's softmax knows the last axis only, though the layer lets one choose (and its default is the second). */
function alongAnyAxis(original: Call<Softmax>): Call<Softmax> {
  return function (inputs, options) {
    this.softmax = softmaxAlong;
    return original.call(this, inputs, options);
  };
}

function softmaxAlong(x: Tensor, axis: number): Tensor {
  const swap = swapWithLast(x, axis);
  return swap === undefined ? softmax(x) : transpose(softmax(transpose(x, swap)), swap);
}

interface Rectifier {
  maxValue?: number;
}

/** For a maximum of 6 only, Keras uses an operation whose gradient is 0 at the maximum, where that of clipping is 1. */
function relu6(original: Call<Rectifier>): Call<Rectifier> {
  return function (inputs, options) {
    if (this.maxValue !== 6) return original.call(this, inputs, options);
    return tidy(() => minimum(6, relu(Array.isArray(inputs) ? inputs[0] : inputs)));
  };
}
