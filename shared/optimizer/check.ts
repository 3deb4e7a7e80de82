import { invalid } from "../errors.js";
import { type Hyperparameters, type OptimizerSpec, scalingRuleOf } from "./rules.js";

/** How far κ·(1 − β) may exceed 1: only by float64's rounding of, say, 10·(1 − 0.9). */
const EXCESS_MAX = 1e-9;
/** The smallest normal float32: a smaller epsilon would be rounded away, and 0/0 would be possible. */
const EPSILON_MIN = 2 ** -126;

/**
 * Checks the hyperparameters' ranges, and that the optimizer's rule is defined at every κ up to `microBatchesMax`, so
 * that an elastic run fails at its start rather than when workers join.
 * @throws {IsobatchError} `invalid_input`
 */
export function checkOptimizer(
  optimizer: OptimizerSpec,
  hyperparameters: Hyperparameters,
  microBatchesMax: number,
): void {
  const { learningRate, epsilon, weightDecay } = hyperparameters;
  const rule = scalingRuleOf(optimizer);
  if (!(learningRate > 0 && Number.isFinite(learningRate))) {
    invalid(`learningRate is ${learningRate}; it must be a positive number.`);
  }
  for (const name of ["beta1", "beta2"] as const) {
    const beta = hyperparameters[name];
    if (!(beta >= 0 && beta < 1)) invalid(`${name} is ${beta}; it must be at least 0 and below 1.`);
  }
  // The rule becomes undefined for the smaller one first.
  const name = hyperparameters.beta2 < hyperparameters.beta1 ? "beta2" : "beta1";
  const beta = hyperparameters[name];
  if (rule.keep(beta, microBatchesMax) < -EXCESS_MAX) {
    const largest = Math.floor((1 + EXCESS_MAX) / (1 - beta));
    const remedy =
      optimizer.name === "invariant"
        ? 'set optimizer.rule to "exponential"'
        : 'set optimizer to {"name": "invariant", "rule": "exponential"}';
    invalid(
      `microBatchesPerStep reaches ${microBatchesMax}, but ${ruleInWords(optimizer)} allows at most ${largest} with ` +
        `${name} = ${beta}, because microBatchesPerStep·(1 − ${name}) must not exceed 1; ` +
        `lower microBatchesPerStep, or ${remedy}, which is valid at any number.`,
    );
  }
  if (!(epsilon >= EPSILON_MIN && Number.isFinite(Math.fround(epsilon)))) {
    invalid(`epsilon is ${epsilon}; it must be a float32 number of at least 1.2e-38, such as 1e-8.`);
  }
  const stepEpsilon = rule.epsilon?.(epsilon, microBatchesMax) ?? epsilon;
  if (!(stepEpsilon >= EPSILON_MIN)) {
    invalid(
      `epsilon is ${epsilon}; the optimizer reduces it to ${stepEpsilon} at ${microBatchesMax} micro-batches per step, but ` +
        "1.2e-38 is the smallest number that float32 can distinguish from 0: raise it, 1e-8 is usual.",
    );
  }
  if (!(weightDecay >= 0 && Number.isFinite(weightDecay))) {
    invalid(`weightDecay is ${weightDecay}; it must be a number of at least 0.`);
  }
  const decay = rule.decay(new Float64Array(microBatchesMax).fill(learningRate), weightDecay);
  if (!(decay <= 1)) {
    invalid(
      `weightDecay is ${weightDecay}; with learningRate ${learningRate} and ${microBatchesMax} ` +
        "micro-batches per step it would remove more than the whole weights in one step: lower one of them.",
    );
  }
}

function ruleInWords(optimizer: OptimizerSpec): string {
  return optimizer.name === "invariant" ? `the ${optimizer.rule} rule` : `the optimizer "${optimizer.name}"`;
}
