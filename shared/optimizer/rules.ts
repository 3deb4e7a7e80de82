/**
 * How the reference hyperparameters, those of one micro-batch per step, become a step's at κ micro-batches. The
 * linear rule is Wang & Aitchison 2024 ("Batch size invariant Adam", arXiv 2402.18824): with θ held fixed, κ single
 * steps move m, v and θ as one step with κη and κγ does, to first order in κγ. κγ cannot exceed 1, so the
 * exponential rule keeps exactly what κ decays leave of the old averages, β^κ, and is valid at any κ.
 *
 * An optimizer is a row of the table below, a new one a new row: nothing else in this folder knows them by name.
 */

export type OptimizerSpec =
  | { readonly name: "invariant"; readonly rule: "linear" | "exponential" }
  | { readonly name: "standard" };

/** The reference hyperparameters: as one would use them with one micro-batch per step, and never retuned. */
export interface Hyperparameters {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled, and coupled to the learning rate as in AdamW. */
  readonly weightDecay: number;
}

/** What a micro-batch's gradient is multiplied by in a step's sums, one number a micro-batch, in order. */
export interface LeafWeights {
  /** Of g, in S1; length κ. */
  readonly w1: Float32Array;
  /** Of g², in S2; length κ. */
  readonly w2: Float32Array;
}

/** One optimizer's answers at κ micro-batches per step. */
export interface ScalingRule {
  /** The step's learning rate η' from those of its micro-batches, length κ. */
  learningRate(rates: Float64Array): number;
  /** 1 − Γ, what a moving average with decay `beta` keeps over the step. Negative where the rule has no meaning. */
  keep(beta: number, microBatches: number): number;
  /** 1 − shrink, what the step's weight decay takes of the weights; over 1 or NaN where that has no meaning. */
  decay(rates: Float64Array, weightDecay: number): number;
  /** Whether v averages (S1/κ)², as Adam does, rather than S2/κ. */
  readonly squareOfSum: boolean;
  /** Absent: every micro-batch weighs 1. */
  leafWeights?(hyperparameters: Hyperparameters, microBatches: number): LeafWeights;
}

const linear: ScalingRule = {
  learningRate: sum,
  keep: (beta, microBatches) => 1 - microBatches * (1 - beta),
  decay: (rates, weightDecay) => sum(rates) * weightDecay,
  squareOfSum: false,
};

const exponential: ScalingRule = {
  learningRate: sum,
  keep: (beta, microBatches) => beta ** microBatches,
  // 1 − Π(1 − η(n)·λ), without the cancellation: η·λ is often below 10⁻⁸.
  decay: (rates, weightDecay) => 0 - Math.expm1(sum(rates.map((rate) => Math.log1p(-rate * weightDecay)))),
  squareOfSum: false,
};

const standard: ScalingRule = {
  learningRate: mean,
  keep: (beta) => beta,
  decay: (rates, weightDecay) => mean(rates) * weightDecay,
  squareOfSum: true,
};

/** The row of `optimizer`. */
export function scalingRuleOf(optimizer: OptimizerSpec): ScalingRule {
  if (optimizer.name === "standard") return standard;
  return { linear, exponential }[optimizer.rule];
}

/** The weights of a step's micro-batches in its sums, or undefined where all are 1. */
export function leafWeights(
  optimizer: OptimizerSpec,
  hyperparameters: Hyperparameters,
  microBatches: number,
): LeafWeights | undefined {
  return scalingRuleOf(optimizer).leafWeights?.(hyperparameters, microBatches);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: Float64Array): number {
  return sum(values) / values.length;
}
