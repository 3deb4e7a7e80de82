import { join } from "node:path";
import {
  type BackendName,
  type BackendSettings,
  chooseBackend,
  isBackendName,
  probeBackend,
} from "../../backends/index.js";
import { evaluateWeights } from "../../experiment/index.js";
import { changedData } from "../../server/changed-data.js";
import { readNewestCheckpoint } from "../../server/checkpoint/index.js";
import { RUN_FILES } from "../../server/record/index.js";
import { invalid } from "../../shared/errors.js";
import { createLog } from "../../shared/log.js";
import { openData, resolveTask } from "../../tasks/index.js";
import type { Environment } from "../environment.js";
import { count, measure, percent } from "../progress/format.js";

export interface EvaluateOptions {
  readonly backend?: string;
  readonly json?: boolean;
}

/** Evaluates a run's newest sound checkpoint on its task's test samples, in this process. */
export async function evaluate(
  folder: string,
  options: EvaluateOptions,
  { backendSettings }: Environment,
): Promise<void> {
  const { taskJson, topology, layout, state, meta, skipped, identity } = readNewestCheckpoint(folder);
  for (const sentence of skipped) process.stderr.write(`${sentence} An older checkpoint is evaluated.\n`);
  const taskFile = join(folder, RUN_FILES.task);
  const task = resolveTask(taskFile, JSON.parse(taskJson));
  const data = await openData(task);
  const changed = identity.data && changedData(identity.data, data, task.dataset);
  if (changed?.onlyTest === false) {
    invalid(
      `${taskFile}: the data has changed since the run began: ${changed.files}. Its columns or classes may not be those that the model ` +
        "was trained on; put it back as it was.",
    );
  }
  if (changed !== undefined)
    process.stderr.write(`The test part is not the one that the run had: ${changed.files} has changed.\n`);
  if (data.test === undefined)
    invalid(`${taskFile}: the data set has no test part, so there is nothing to evaluate on.`);
  const backend = await backendFor(options.backend, identity.numerics?.backend, backendSettings);
  const { test } = data;
  const { loss, accuracy } = await evaluateWeights({
    task,
    topology,
    layout,
    theta: state.theta,
    data: test,
    backend,
    backendSettings,
  });
  const samples = meta.microBatches * task.microBatchSize;
  const { step } = meta;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ task: task.name, step, samples, loss, accuracy, backend })}\n`);
    return;
  }
  const tested = `${task.name} at step ${count(step)}, on ${count(test.samples)} test samples`;
  const right = accuracy === null ? "" : `, accuracy ${percent(accuracy)}`;
  process.stdout.write(`${tested}: loss ${measure(loss)}${right} (computed on ${backend})\n`);
}

/** The backend asked for; or the run's own, whose evaluations then have the same bits; or the first that works. */
async function backendFor(
  requested: string | undefined,
  runs: string | undefined,
  settings: BackendSettings,
): Promise<BackendName> {
  const log = createLog({ level: "silent", pretty: false });
  if (requested === undefined && runs !== undefined && isBackendName(runs)) {
    const { available, reason } = await probeBackend(runs, settings);
    if (available) return runs;
    process.stderr.write(
      `The run was computed on ${runs}, which can't be had here (${reason}): the last digits may differ.\n`,
    );
  }
  return chooseBackend(requested, log, settings);
}
