import type { AdamConstants } from "../kernels/index.js";
import { type Hyperparameters, type OptimizerSpec, scalingRuleOf } from "./rules.js";
import { learningRatesOf, type Schedule } from "./schedule.js";

/**
 * A step's arithmetic that is the same for every parameter, in float64. With κ micro-batches, their sums S1 = Σ g and
 * S2 = Σ g², and Γ1, Γ2, η' from the optimizer's scaling rule, the step is
 *
 *     m ← (1−Γ1)·m + Γ1·S1/κ
 *     v ← (1−Γ2)·v + Γ2·S2/κ          or Γ2·(S1/κ)² for standard Adam
 *     θ ← shrink·θ − η'·(m/c1) / (sqrt(v/c2) + ε)
 *
 * Where the rule has leaf coefficients, S1 and S2 themselves take the places of Γ1·S1/κ and Γ2·S2/κ.
 *
 * c1 and c2 are the total weight that the averages m and v hold so far. Dividing by them corrects the averages' bias
 * towards their start at 0; they equal 1 − (1−Γ)^s after s steps while κ is constant, and stay right when κ changes.
 */
export interface Coefficients extends AdamConstants {
  /** The values after the step. */
  readonly c1: number;
  readonly c2: number;
}

export interface StepWindow {
  readonly optimizer: OptimizerSpec;
  readonly hyperparameters: Hyperparameters;
  readonly schedule: Schedule;
  /** The number of samples in a micro-batch. */
  readonly microBatchSize: number;
  /** The number n of the step's first micro-batch, counted from the start of the run. */
  readonly firstMicroBatch: number;
  /** κ of this step. A run's last step may have fewer. */
  readonly microBatches: number;
  /** The values before the step; 0 at the start of a run. */
  readonly c1: number;
  readonly c2: number;
}

/** The step's coefficients, and for people its learning rate η' and averaging rates Γ1, Γ2. */
export function stepCoefficients(
  window: StepWindow,
): Coefficients & { readonly learningRate: number; readonly gamma1: number; readonly gamma2: number } {
  const { optimizer, hyperparameters, schedule, microBatchSize, firstMicroBatch, microBatches } = window;
  const { beta1, beta2, epsilon, weightDecay } = hyperparameters;
  const rule = scalingRuleOf(optimizer);
  const rates = learningRatesOf(schedule, hyperparameters.learningRate, microBatchSize, firstMicroBatch, microBatches);
  const learningRate = rule.learningRate(rates);
  const mKeep = Math.max(0, rule.keep(beta1, microBatches));
  const vKeep = Math.max(0, rule.keep(beta2, microBatches));
  const weighted = rule.leafCoefficients !== undefined;
  const gamma1 = 1 - mKeep;
  const gamma2 = 1 - vKeep;
  const c1 = window.c1 + gamma1 * (1 - window.c1);
  const c2 = window.c2 + gamma2 * (1 - window.c2);
  return {
    mKeep,
    mAdd: weighted ? 1 : gamma1 / microBatches,
    vKeep,
    vAdd: weighted ? 1 : gamma2 / (rule.squareOfSum ? microBatches ** 2 : microBatches),
    squareOfSum: rule.squareOfSum,
    stepSize: learningRate / c1,
    vScale: 1 / c2,
    epsilon: rule.epsilon?.(epsilon, microBatches) ?? epsilon,
    decay: rule.decay(rates, weightDecay),
    c1,
    c2,
    learningRate,
    gamma1,
    gamma2,
  };
}
