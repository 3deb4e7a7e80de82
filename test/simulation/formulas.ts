import type { StepCoefficients } from "../../shared/steps/index.js";
import type { Reference } from "./arithmetic.js";

/** A step's coefficients and gradients in a simulated world: formulas that depend on every input. */

export function coefficientsOf(step: {
  firstMicroBatch: number;
  microBatches: number;
  c1: number;
  c2: number;
}): StepCoefficients {
  const gamma = 0.01 * step.microBatches;
  const c1 = step.c1 + gamma * (1 - step.c1);
  const c2 = step.c2 + (gamma / 10) * (1 - step.c2);
  return {
    mKeep: 1 - gamma,
    mAdd: 0.01,
    vKeep: 1 - gamma / 10,
    vAdd: 0.001,
    squareOfSum: false,
    stepSize: 0.001 / c1 + step.firstMicroBatch,
    vScale: 1 / c2,
    epsilon: 1e-8,
    decay: 0,
    c1,
    c2,
    learningRate: 0.001,
    gamma1: gamma,
    gamma2: gamma / 10,
  };
}

export function leavesOf(reference: Reference, term: number, step: number): number {
  return reference.at(term, step + 1).mark.microBatches - reference.at(term, step).mark.microBatches;
}

/** |S1|² and ΣS2 of gradients whose noise grows during the run, with some random variation. */
export function normsOf(
  reference: Reference,
  microBatchesTotal: number,
  term: number,
  step: number,
): { squaredNorms1: number[]; sums2: number[] } {
  const { mark, weights } = reference.at(term, step);
  const kappa = leavesOf(reference, term, step);
  const noise = 20 + (100 * mark.microBatches) / microBatchesTotal + (weights[0] % 40);
  return { squaredNorms1: [kappa ** 2 + kappa * noise], sums2: [kappa * (1 + noise)] };
}

export const EVALUATION_BATCHES = 5;

/** The loss sum of one evaluation batch at these weights. */
export function evaluationLoss(batch: number, weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + (weight % 1000) * (batch + 1), 0);
}

export function expectedEvaluation(weights: readonly number[]): number {
  let sum = 0;
  for (let batch = 0; batch < EVALUATION_BATCHES; batch++) sum += evaluationLoss(batch, weights);
  return sum;
}
