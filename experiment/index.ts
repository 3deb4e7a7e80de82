export { type EvaluateOptions, evaluateWeights } from "./evaluate.js";
export { type Evaluation, type StepReport, type TrainedState, type TrainOptions, trainInProcess } from "./trainer.js";
