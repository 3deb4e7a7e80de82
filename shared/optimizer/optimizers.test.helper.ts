import type { OptimizerSpec } from "./index.js";

export const LINEAR: OptimizerSpec = { name: "invariant", rule: "linear" };
export const EXPONENTIAL: OptimizerSpec = { name: "invariant", rule: "exponential" };
export const PATHWISE: OptimizerSpec = { name: "invariant", rule: "pathwise" };
export const SQRT: OptimizerSpec = { name: "sqrt", epsilon: "scaled" };
export const SQRT_KEPT: OptimizerSpec = { name: "sqrt", epsilon: "kept" };
export const LINEAR_STANDARD: OptimizerSpec = { name: "linear-standard" };
export const STANDARD: OptimizerSpec = { name: "standard" };

/** Every optimizer with every rule. */
export const OPTIMIZERS: readonly OptimizerSpec[] = [
  LINEAR,
  EXPONENTIAL,
  PATHWISE,
  SQRT,
  SQRT_KEPT,
  LINEAR_STANDARD,
  STANDARD,
];
/** Those that take the mean of the squares. */
export const INVARIANT: readonly OptimizerSpec[] = [LINEAR, EXPONENTIAL, PATHWISE];
/** Those with Γ = κγ, which must not exceed 1. */
export const LIMITED: readonly OptimizerSpec[] = [LINEAR, SQRT, SQRT_KEPT, LINEAR_STANDARD];
