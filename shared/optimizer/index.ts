export { checkOptimizer } from "./check.js";
export { type Coefficients, type StepWindow, stepCoefficients } from "./coefficients.js";
export { type Hyperparameters, type LeafWeights, leafWeights, type OptimizerSpec } from "./rules.js";
export { checkSchedule, learningRateAt, type Schedule } from "./schedule.js";
