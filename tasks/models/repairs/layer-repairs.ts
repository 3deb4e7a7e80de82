import {
  add,
  conv2d,
  minimum,
  ones,
  relu,
  reshape,
  softmax,
  type Tensor,
  tidy,
  transpose,
  zeros,
} from "../../tfjs/core.js";
import { normalizeBatch, normalizeRows, normalizesBatches } from "../layers/normalize.js";
import { repairGelu } from "./gelu.js";
import { repairGraphs } from "./graph-call.js";
import { repairInitialStates } from "./initial-states.js";
import { repairMaskedLayers } from "./masked-layers.js";
import { followStatistic, type MovingStatistic } from "./moving-statistics.js";
import { repairSettings } from "./setting-repairs.js";
import { type Call, single, wrapCall } from "./wrap-call.js";

/**
 * Layers that can't be trained because of the layer's code rather than an operation's gradient. Their `call` is wrapped, and
 * its results stay the same wherever they were right.
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
  repairInitialStates();
  repairMaskedLayers();
  repairSettings();
}

interface BatchNormalization {
  axis: number;
  readonly epsilon: number;
  readonly momentum: number;
  gamma?: Variable;
  beta?: Variable;
  readonly movingMean: MovingStatistic;
  readonly movingVariance: MovingStatistic;
}

/**
 * tfjs reads gamma and beta in training even if the layer is configured to have none; along any axis but the last it
 * normalises the wrong numbers together; and it takes four axes at most. So during the call the layer's axis is moved to
 * the end, and if there are more than four axes the others are joined. In training a worker's backend normalises in one
 * operation.
 */
function normalization(original: Call<BatchNormalization>): Call<BatchNormalization> {
  return function (inputs, options) {
    this.gamma ??= { read: () => ones(this.movingMean.read().shape) };
    this.beta ??= { read: () => zeros(this.movingMean.read().shape) };
    const { axis } = this;
    this.axis = -1;
    try {
      return tidy(() => {
        const x = single(inputs);
        const swap = swapWithLast(x, axis);
        const last = swap === undefined ? x : transpose(x, swap);
        const y =
          options.training && normalizesBatches() ? normalizedByBatch(this, last) : flattened(this, last, options);
        return swap === undefined ? y : transpose(y, swap);
      });
    } finally {
      this.axis = axis;
    }
  };

  function flattened(layer: BatchNormalization, x: Tensor, options: Record<string, unknown>): Tensor {
    if (x.rank <= 4) return original.call(layer, x, options);
    const rows = reshape(x, [-1, x.shape[x.rank - 1]]);
    return reshape(original.call(layer, rows, options), x.shape);
  }
}

function normalizedByBatch(layer: BatchNormalization, x: Tensor): Tensor {
  const { epsilon, momentum, movingMean, movingVariance } = layer;
  return normalizeBatch(x, layer.gamma!.read(), layer.beta!.read(), epsilon, (mean, variance) => {
    followStatistic(movingMean, mean, momentum);
    followStatistic(movingVariance, variance, momentum);
  });
}

interface LayerNormalization {
  /** The axis; not negative once the layer is built. */
  axis: number[];
  epsilon: number;
  gamma: Variable | null;
  beta: Variable | null;
}

/**
 * tfjs normalises by way of tiled moments, which takes many passes, and without a gamma or a beta it has no gradient at
 * all. Here the axes are moved to the end and joined, and each row along them is normalised in one operation.
 */
function normalizedByRows(this: LayerNormalization, inputs: Tensor | Tensor[]): Tensor {
  return tidy(() => {
    const x = single(inputs);
    const isNormalized = x.shape.map((_, axis) => this.axis.includes(axis));
    const axes = [...x.shape.keys()];
    const order = [...axes.filter((axis) => !isNormalized[axis]), ...axes.filter((axis) => isNormalized[axis])];
    const moved = order.some((axis, i) => axis !== i);
    const ordered = moved ? transpose(x, order) : x;
    const flat = this.axis.length > 1;
    const numbers = this.axis.reduce((product, axis) => product * x.shape[axis], 1);
    const weights = (variable: Variable | null): Tensor | undefined => {
      const value = variable?.read();
      return value !== undefined && flat ? reshape(value, [numbers]) : value;
    };
    const rows = flat ? reshape(ordered, [x.size / numbers, numbers]) : ordered;
    const normal = normalizeRows(rows, this.epsilon, weights(this.gamma), weights(this.beta));
    const whole = flat ? reshape(normal, ordered.shape) : normal;
    if (!moved) return whole;
    return transpose(
      whole,
      axes.map((axis) => order.indexOf(axis)),
    );
  });
}

/** The permutation that makes `axis` of `x` the last one, and its inverse; undefined if it is the last one already. */
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
