/** The range of an elastic κ, from the field of a task. */
import { IsobatchError, invalid } from "../shared/errors.js";
import { checkOptimizer, type Hyperparameters, type OptimizerSpec } from "../shared/optimizer/index.js";
import type { KappaRule } from "../shared/steps/index.js";
import type { ParsedTask } from "./task.js";

/** The most that a range reaches whose end is left to the optimizer's rule; a larger end must be stated. */
const DEFAULT_MAX = 1_024;

/**
 * A range without an end ends at the largest κ at which the optimizer's rule has a meaning.
 * @throws {IsobatchError} `invalid_input` for a range that ends before it starts
 */
export function resolveKappa(source: string, task: ParsedTask): KappaRule {
  const { microBatchesPerStep: rule } = task;
  if (typeof rule === "number") return rule;
  const { min } = rule;
  const max = rule.max ?? Math.max(min, largestAllowed(task.optimizer, task, DEFAULT_MAX));
  if (max < min) {
    return invalid(
      `${source}: microBatchesPerStep.max is ${max}; it must be at least microBatchesPerStep.min, which is ${min}.`,
    );
  }
  return { ...rule, max };
}

/** The largest κ up to `most` at which the rule has a meaning; 1 if there is none. */
function largestAllowed(optimizer: OptimizerSpec, hyperparameters: Hyperparameters, most: number): number {
  const allowed = (kappa: number): boolean => {
    try {
      checkOptimizer(optimizer, hyperparameters, kappa);
      return true;
    } catch (error) {
      if (error instanceof IsobatchError) return false;
      throw error;
    }
  };
  if (allowed(most)) return most;
  let [allowedMax, tooLarge] = [1, most];
  while (tooLarge - allowedMax > 1) {
    const middle = (allowedMax + tooLarge) >> 1;
    if (allowed(middle)) allowedMax = middle;
    else tooLarge = middle;
  }
  return allowedMax;
}
