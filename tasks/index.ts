/** What is trained: tasks, their data and their models. */
export type { AugmentationKey } from "./augmentation/index.js";
export { builtInTasks } from "./built-in-tasks.js";
export { checkFit } from "./check-fit.js";
export * from "./datasets/index.js";
export { type DecodedBatch, decodeBatch, scaleInputs } from "./decode-batch.js";
export { type DefinedTask, loadTask, resolveDefinition, resolveTask, type TaskOverrides } from "./load-task.js";
export { correctCount, lossOf, regularisationOf, sampleLossesOf } from "./losses.js";
export * from "./models/index.js";
export { createSampleOrder, type SampleOrder, type SampleOrderOptions } from "./order.js";
export { type PreparedTask, prepareTask } from "./prepare-task.js";
export { scaleAdvice } from "./scale-advice.js";
export {
  type DatasetSpec,
  type Loss,
  type ModelSpec,
  matchesPattern,
  microBatchesOf,
  type Task,
  type TaskInput,
} from "./task.js";
export { taskCodeHash } from "./task-code.js";
