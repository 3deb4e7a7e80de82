/** What layers compute from an input with a mask, as in Keras 3. */
import {
  add,
  broadcastTo,
  div,
  maximum,
  minimum,
  mul,
  onesLike,
  reshape,
  rsqrt,
  scalar,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tidy,
  unstack,
  zerosLike,
} from "../../tfjs/core.js";
import { followStatistic, type MovingStatistic } from "./moving-statistics.js";
import { type Call, single, wrapCall } from "./wrap-call.js";

export function repairMaskedLayers(): void {
  wrapCall<Recurrent>("RNN", recurrent);
  wrapCall<Bidirectional>("Bidirectional", bothWays);
  wrapCall<TimeDistributed>("TimeDistributed", eachStep);
  wrapCall("GlobalAveragePooling1D", average);
  wrapCall<BatchNormalization>("BatchNormalization", normalization);
  wrapCall("Multiply", product);
  wrapCall("Maximum", extremeOf(maximum));
  wrapCall("Minimum", extremeOf(minimum));
}

interface Cell {
  call(inputs: Tensor[], options: Record<string, unknown>): Tensor[];
}

interface Recurrent {
  readonly cell: Cell;
  readonly goBackwards: boolean;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  /** Whether the output at a masked step is zero rather than the output of the step before. */
  zeroOutputForMask?: boolean;
  getInitialState(inputs: Tensor): Tensor[];
}

/**
 * At a masked step the states stay, and the output is that of the step before, zeros if there is none. tfjs outputs the
 * first state instead, which is not the same where the model gives an initial one; and it spreads a mask over the wrong
 * axes of an image.
 */
function recurrent(original: Call<Recurrent>): Call<Recurrent> {
  return function (inputs, options) {
    const { mask, training, initialState } = options as { mask?: Tensor; training?: boolean; initialState?: Tensor[] };
    if (mask == null) return original.call(this, inputs, options);
    return tidy(() => {
      const x = single(inputs);
      const inOrder = (parts: Tensor[]): Tensor[] => (this.goBackwards ? parts.toReversed() : parts);
      const unmasked = inOrder(unstack(mask, 1));
      // The first state of a cell is its output, and so is that of stacked ones, which come in reverse order.
      const stateIsOutput = initialState == null;
      let states = initialState ?? this.getInitialState(x);
      let output: Tensor | undefined;
      const outputs = inOrder(unstack(x, 1)).map((step, t) => {
        const [computed, ...next] = this.cell.call([step, ...states], { training });
        const before =
          output === undefined || this.zeroOutputForMask ? zerosLike(computed) : stateIsOutput ? states[0] : output;
        output = chosen(unmasked[t], computed, before);
        states = states.map((state, i) => chosen(unmasked[t], next[i], state));
        return output;
      });
      const result = this.returnSequences ? stack(outputs, 1) : (output as Tensor);
      return (this.returnState ? [result, ...states] : result) as Tensor;
    });
  };
}

/** `computed` where `mask`, one number per sample, is 1, else `before`. */
function chosen(mask: Tensor, computed: Tensor, before: Tensor): Tensor {
  const spread = reshape(mask, [mask.shape[0], ...computed.shape.slice(1).map(() => 1)]);
  return add(mul(computed, spread), mul(before, sub(onesLike(spread), spread)));
}

interface Bidirectional {
  readonly returnSequences: boolean;
  readonly forwardLayer: Recurrent;
  readonly backwardLayer: Recurrent;
}

/** Both directions output zeros at masked steps, since the step before differs between them. */
function bothWays(original: Call<Bidirectional>): Call<Bidirectional> {
  return function (inputs, options) {
    for (const layer of [this.forwardLayer, this.backwardLayer]) layer.zeroOutputForMask = this.returnSequences;
    return original.call(this, inputs, options);
  };
}

interface TimeDistributed {
  readonly layer: { call(inputs: Tensor, options: Record<string, unknown>): Tensor | Tensor[] };
}

/** The layer inside gets its step's part of the mask, if that has an axis left; tfjs gives it all of the mask. */
function eachStep(original: Call<TimeDistributed>): Call<TimeDistributed> {
  return function (inputs, { mask, ...options }) {
    const whole = mask as Tensor | undefined;
    if (whole === undefined || whole.rank < 3) return original.call(this, inputs, options);
    return tidy(() => {
      const masks = unstack(whole, 1);
      const steps = unstack(single(inputs), 1);
      return stack(
        steps.map((step, t) => single(this.layer.call(step, { ...options, mask: masks[t] }))),
        1,
      );
    });
  };
}

/** The mean over the unmasked steps; zeros where all are masked. */
function average(original: Call<unknown>): Call<unknown> {
  return function (inputs, options) {
    const mask = options?.mask as Tensor | undefined;
    if (mask === undefined) return original.call(this, inputs, options);
    return tidy(() => {
      const spread = reshape(mask, [...mask.shape, 1]);
      return div(sum(mul(single(inputs), spread), 1), maximum(sum(spread, 1), scalar(1)));
    });
  };
}

interface BatchNormalization {
  readonly axis: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma?: { read(): Tensor } | null;
  readonly beta?: { read(): Tensor } | null;
  readonly movingMean: MovingStatistic;
  readonly movingVariance: MovingStatistic;
}

/** Keras' own addend, which keeps the mean over no positions finite. */
const FEW = 1e-7;

/** In training, normalises with the statistics of the unmasked positions. */
function normalization(original: Call<BatchNormalization>): Call<BatchNormalization> {
  return function (inputs, options) {
    const mask = options?.mask as Tensor | undefined;
    if (mask === undefined || !options.training) return original.call(this, inputs, options);
    return tidy(() => {
      const x = single(inputs);
      const axis = this.axis < 0 ? this.axis + x.rank : this.axis;
      const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
      const unmasked = broadcastTo(reshape(mask, [...mask.shape, 1]), x.shape);
      const count = add(sum(unmasked, others, true), FEW);
      const mean = div(sum(mul(x, unmasked), others, true), count);
      const centered = sub(x, mean);
      const variance = div(sum(mul(square(centered), unmasked), others, true), count);
      const follow = (moving: MovingStatistic, value: Tensor): void =>
        followStatistic(moving, reshape(value, moving.read().shape), this.momentum);
      follow(this.movingMean, mean);
      follow(this.movingVariance, variance);
      const normal = mul(centered, rsqrt(add(variance, this.epsilon)));
      const scaled = this.gamma == null ? normal : mul(normal, reshape(this.gamma.read(), mean.shape));
      return this.beta == null ? scaled : add(scaled, reshape(this.beta.read(), mean.shape));
    });
  };
}

/** The masks of several inputs; undefined if there is none. */
const masksOf = (options: Record<string, unknown>): Mask[] | undefined => options?.masks as Mask[] | undefined;

type Mask = Tensor | undefined;

/** `ifUnmasked` where the mask, spread over its numbers, is 1, else `ifMasked`. */
function where(mask: Tensor, ifUnmasked: Tensor, ifMasked: Tensor): Tensor {
  return add(mul(ifUnmasked, mask), mul(ifMasked, sub(onesLike(mask), mask)));
}

const spreadOver = (x: Tensor, mask: Mask): Mask =>
  mask === undefined ? undefined : broadcastTo(reshape(mask, [...mask.shape, 1]), x.shape);

/** A masked factor counts as 1; where all are masked the product is 0. */
function product(original: Call<unknown>): Call<unknown> {
  return function (inputs, options) {
    const masks = masksOf(options);
    if (masks === undefined) return original.call(this, inputs, options);
    return tidy(() => {
      const factors = inputs as Tensor[];
      const spread = factors.map((x, i) => spreadOver(x, masks[i]));
      const whole = factors
        .map((x, i) => (spread[i] === undefined ? x : where(spread[i], x, onesLike(x))))
        .reduce((left, right) => mul(left, right));
      return spread.includes(undefined)
        ? whole
        : mul(
            whole,
            (spread as Tensor[]).reduce((a, b) => maximum(a, b)),
          );
    });
  };
}

/** A masked number is ignored, unless the others are masked too. */
function extremeOf(larger: (a: Tensor, b: Tensor) => Tensor): (original: Call<unknown>) => Call<unknown> {
  return (original) =>
    function (inputs, options) {
      const masks = masksOf(options);
      if (masks === undefined) return original.call(this, inputs, options);
      return tidy(() => {
        const [first, ...others] = (inputs as Tensor[]).map((x, i) => ({ x, mask: spreadOver(x, masks[i]) }));
        return others.reduce((so, { x: next, mask }) => {
          const x = mask === undefined ? next : where(mask, next, so.x);
          const before = so.mask === undefined ? so.x : where(so.mask, so.x, x);
          const both = so.mask !== undefined && mask !== undefined ? maximum(so.mask, mask) : undefined;
          return { x: larger(before, x), mask: both };
        }, first).x;
      });
    };
}
