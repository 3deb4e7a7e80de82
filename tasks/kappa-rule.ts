/** The range of an elastic κ, from what a person wrote. */
import { IsobatchError, invalid } from "../shared/errors.js";
import { checkOptimizer, type Hyperparameters, type OptimizerSpec } from "../shared/optimizer/index.js";
import type { KappaRule } from "../shared/steps/index.js";
import type { ParsedTask } from "./task.js";

/** Of a range whose end is left to the optimizer's rule: more than that should be said. */
const DEFAULT_MAX = 1_024;

/**
 * A range without an end ends at the largest κ that the optimizer's rule has a meaning at.
 * @throws {IsobatchError} `invalid_input` for a range that ends before it begins
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

/** The largest κ up to `most` that the rule has a meaning at; 1 if it has none at any. */
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
  let [least, beyond] = [1, most];
  while (beyond - least > 1) {
    const middle = (least + beyond) >> 1;
    if (allowed(middle)) least = middle;
    else beyond = middle;
  }
  return least;
}
