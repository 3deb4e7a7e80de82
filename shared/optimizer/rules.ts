/**
 * How the reference hyperparameters, those of one micro-batch per step, become a step's at κ micro-batches.
 *
 * - `invariant`, batch size invariant Adam (Wang & Aitchison 2024, arXiv 2402.18824), averages the micro-batches'
 *   squares in v. Its `linear` rule is the paper's: with θ held fixed, κ single steps move m, v and θ as one step with
 *   κη and κγ does, to first order in κγ. κγ cannot exceed 1, so the `exponential` rule, ours, keeps exactly what κ
 *   decays leave of the old averages, β^κ, and is valid at any κ. `pathwise`, also ours, multiplies each micro-batch in
 *   the sums by what the decays after it would have left of it: with θ held fixed m and v are exactly those of κ single steps.
 * - `sqrt` (Malladi et al. 2022, arXiv 2205.10287, the paper's baseline) is Adam with the square root rule: correct
 *   where
 *   noise dominates the gradient. It divides ε by √κ too; the paper's authors' code keeps ε, hence the choice.
 * - `linear-standard` is Adam with the linear rule, as SGD is scaled.
 * - `standard` is AdamW with nothing scaled.
 *
 * An optimizer is a row of the table below, and a new one is a new row: no other code knows them by name.
 */
export type OptimizerSpec =
  | { readonly name: "invariant"; readonly rule: "linear" | "exponential" | "pathwise" }
  | { readonly name: "sqrt"; readonly epsilon: "scaled" | "kept" }
  | { readonly name: "linear-standard" }
  | { readonly name: "standard" };

/** The reference hyperparameters: as one would use them with one micro-batch per step, and never retuned. */
export interface Hyperparameters {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Weight decay: decoupled from the gradient, and multiplied by the learning rate, as in AdamW. */
  readonly weightDecay: number;
}

/** What micro-batches' gradients are multiplied by in a step's sums, one number per micro-batch, in order. */
export interface LeafCoefficients {
  /** The coefficients of g in S1; length κ. */
  readonly w1: Float32Array;
  /** The coefficients of g² in S2; length κ. */
  readonly w2: Float32Array;
}

/** One optimizer's rule at κ micro-batches per step. */
export interface ScalingRule {
  /** The step's learning rate η' from those of its micro-batches, length κ. */
  learningRate(rates: Float64Array): number;
  /** 1 − Γ, what a moving average with decay `beta` keeps over the step. Negative where the rule is undefined. */
  keep(beta: number, microBatches: number): number;
  /**
   * 1 − shrink, the fraction of the weights that the step's weight decay removes; over 1 or NaN where that is
   * undefined.
   */
  decay(rates: Float64Array, weightDecay: number): number;
  /** Whether v averages (S1/κ)², as Adam does, rather than S2/κ. */
  readonly squareOfSum: boolean;
  /** Absent: ε stays as it is. */
  epsilon?(epsilon: number, microBatches: number): number;
  /**
   * Absent: every coefficient is 1, and the step's Γ is divided evenly among the micro-batches. Otherwise the sums are
   * what the averages gain, with a total weight of Γ.
   */
  leafCoefficients?(hyperparameters: Hyperparameters, microBatches: number): LeafCoefficients;
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

const pathwise: ScalingRule = {
  ...exponential,
  leafCoefficients: ({ beta1, beta2 }, microBatches) => ({
    w1: weightsLeft(beta1, microBatches),
    w2: weightsLeft(beta2, microBatches),
  }),
};

const sqrt: ScalingRule = {
  learningRate: (rates) => Math.sqrt(rates.length) * mean(rates),
  keep: linear.keep,
  decay: (rates, weightDecay) => Math.sqrt(rates.length) * mean(rates) * weightDecay,
  squareOfSum: true,
};

const standard: ScalingRule = {
  learningRate: mean,
  keep: (beta) => beta,
  decay: (rates, weightDecay) => mean(rates) * weightDecay,
  squareOfSum: true,
};

/** The row of `optimizer`. */
export function scalingRuleOf(optimizer: OptimizerSpec): ScalingRule {
  switch (optimizer.name) {
    case "invariant":
      return { linear, exponential, pathwise }[optimizer.rule];
    case "sqrt":
      return optimizer.epsilon === "kept"
        ? sqrt
        : { ...sqrt, epsilon: (epsilon, microBatches) => epsilon / Math.sqrt(microBatches) };
    case "linear-standard":
      return { ...linear, squareOfSum: true };
    case "standard":
      return standard;
  }
}

/** The optimizer in words, for people. */
export function optimizerTitle(optimizer: OptimizerSpec): string {
  switch (optimizer.name) {
    case "invariant":
      return `invariant Adam, ${optimizer.rule} rule`;
    case "sqrt":
      return `Adam, square root rule, ${optimizer.epsilon === "kept" ? "ε" : "ε/√κ"}`;
    case "linear-standard":
      return "Adam, linear rule";
    case "standard":
      return "Adam, unscaled";
  }
}

/** The weights of a step's micro-batches in its sums, or undefined where all are 1. */
export function leafCoefficients(
  optimizer: OptimizerSpec,
  hyperparameters: Hyperparameters,
  microBatches: number,
): LeafCoefficients | undefined {
  return scalingRuleOf(optimizer).leafCoefficients?.(hyperparameters, microBatches);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: Float64Array): number {
  return sum(values) / values.length;
}

/** What remains of a gradient's weight 1 − β in an average with decay β after the step's later micro-batches. */
function weightsLeft(beta: number, microBatches: number): Float32Array {
  return Float32Array.from({ length: microBatches }, (_, j) => (1 - beta) * beta ** (microBatches - 1 - j));
}
