export { checkOptimizer } from "./check.js";
export { type Coefficients, type StepWindow, stepCoefficients } from "./coefficients.js";
export { inconsistentSum } from "./consistency.js";
export {
  NO_NOISE,
  type NoiseParts,
  noiseParts,
  noiseScale,
  type SmoothedNoise,
  type StepNorms,
  smoothNoise,
  type WeightSums,
  weightSums,
} from "./noise-scale.js";
export {
  type Hyperparameters,
  type LeafCoefficients,
  leafCoefficients,
  type OptimizerSpec,
  optimizerTitle,
} from "./rules.js";
export { checkSchedule, type EarlierEnd, learningRateAt, type Schedule } from "./schedule.js";
