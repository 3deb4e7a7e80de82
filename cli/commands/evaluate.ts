import { join } from "node:path";
import { evaluateWeights } from "../../experiment/index.js";
import { readNewestCheckpoint } from "../../server/checkpoint/index.js";
import { RUN_FILES } from "../../server/observe/index.js";
import { invalid } from "../../shared/errors.js";
import { openData, resolveTask } from "../../tasks/index.js";
import { count, measure, percent } from "../progress/format.js";

export interface EvaluateOptions {
  readonly json?: boolean;
}

/** Evaluates a run's newest sound checkpoint on its task's test samples, in this process. */
export async function evaluate(folder: string, { json }: EvaluateOptions): Promise<void> {
  const { taskJson, topology, layout, state, meta, skipped } = readNewestCheckpoint(folder);
  for (const sentence of skipped) process.stderr.write(`${sentence} An older checkpoint is evaluated.\n`);
  const taskFile = join(folder, RUN_FILES.task);
  const task = resolveTask(taskFile, JSON.parse(taskJson));
  const data = await openData(task);
  if (data.test === undefined)
    invalid(`${taskFile}: the data set has no test part, so there is nothing to evaluate on.`);
  const { loss, accuracy } = await evaluateWeights({ task, topology, layout, theta: state.theta, data: data.test });
  const samples = meta.microBatches * task.microBatchSize;
  const { step } = meta;
  if (json) {
    process.stdout.write(`${JSON.stringify({ task: task.name, step, samples, loss, accuracy })}\n`);
    return;
  }
  const tested = `${task.name} at step ${count(step)}, on ${count(data.test.samples)} test samples`;
  const right = accuracy === null ? "" : `, accuracy ${percent(accuracy)}`;
  process.stdout.write(`${tested}: loss ${measure(loss)}${right}\n`);
}
