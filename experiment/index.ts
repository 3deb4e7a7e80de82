export * from "./elastic/index.js";
export { type EvaluationOptions, evaluateWeights } from "./evaluate.js";
export * from "./invariance/index.js";
export { type Evaluation, type StepReport, type TrainedState, type TrainerOptions, trainInProcess } from "./trainer.js";
