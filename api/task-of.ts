import { invalid } from "../shared/errors.js";
import { type DefinedTask, loadTask, resolveDefinition, type TaskOverrides } from "../tasks/index.js";
import type { RunOptions } from "./types/run.js";
import type { TaskSource } from "./types/task.js";

/** The task that is meant, complete. @throws {IsobatchError} `invalid_input`, one line per problem */
export async function taskOf(source: TaskSource, options: RunOptions = {}): Promise<DefinedTask> {
  const { steps, samples, seed, microBatchesPerStep, data, set } = options;
  if (steps !== undefined && samples !== undefined) {
    invalid(`steps is ${steps} and samples is ${samples}; give the length of the run as one of them.`);
  }
  const overrides: TaskOverrides = { steps, samples, seed, microBatchesPerStep, data, set };
  if (typeof source !== "string") return resolveDefinition(source, overrides);
  return { task: await loadTask(source, overrides), model: undefined };
}
