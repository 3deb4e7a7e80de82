export * from "./elastic/index.js";
export { type EvaluationOptions, evaluateWeights } from "./evaluate.js";
export * from "./invariance/index.js";
export { type Evaluation, type StepReport, type TrainedState, type TrainOptions, trainInProcess } from "./trainer.js";
