export { type Evaluation, type StepReport, type TrainedState, type TrainOptions, trainInProcess } from "./trainer.js";
