import { checkFit } from "./check-fit.js";
import { type OpenDataOptions, openData, type TaskData } from "./datasets/index.js";
import { type BuiltModel, buildModel, type LayersModel } from "./models/index.js";
import type { Task } from "./task.js";

export interface PreparedTask {
  readonly task: Task;
  readonly data: TaskData;
  readonly built: BuiltModel;
}

export interface PrepareOptions extends OpenDataOptions {
  /** The model, where a function of the program has made it already; it is disposed of. */
  readonly model?: LayersModel;
}

/** All that a run needs of its task before the first step; any mistake in the task is found here. */
export async function prepareTask(task: Task, options: PrepareOptions = {}): Promise<PreparedTask> {
  const data = await openData(task, options);
  const built = await buildModel(task, data.train, options.model);
  checkFit(task, built.model, data);
  return { task, data, built };
}
