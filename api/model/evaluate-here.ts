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
import { openData, resolveTask } from "../../tasks/index.js";
import type { RunEvaluation } from "../types/model.js";

export interface EvaluationOrder {
  /** A run directory. */
  readonly out: string;
  readonly backend: string | undefined;
  readonly backendSettings: BackendSettings;
}

/** Evaluates a run's newest sound checkpoint in this thread. */
export async function evaluateHere(order: EvaluationOrder): Promise<RunEvaluation> {
  const { out, backendSettings } = order;
  const { taskJson, topology, layout, state, meta, skipped, identity } = readNewestCheckpoint(out);
  const notes = skipped.map((sentence) => `${sentence} An older checkpoint is evaluated.`);
  const taskFile = join(out, RUN_FILES.task);
  const task = resolveTask(taskFile, JSON.parse(taskJson));
  const data = await openData(task);
  const changed = identity.data && changedData(identity.data, data, task.dataset);
  if (changed?.onlyTest === false) {
    invalid(
      `${taskFile}: the data has changed since the run was started: ${changed.files}. Its columns or classes may not be those that the model ` +
        "was trained on; put it back as it was.",
    );
  }
  if (changed !== undefined) {
    notes.push(`The test part is not the one that the run had: ${changed.files} has changed.`);
  }
  const { test } = data;
  if (test === undefined) {
    return invalid(`${taskFile}: the data set has no test part, so there is nothing to evaluate on.`);
  }
  const backend = await backendFor(order, identity.numerics?.backend, notes);
  const { loss, accuracy } = await evaluateWeights({
    task,
    topology,
    layout,
    theta: state.theta,
    data: test,
    backend,
    backendSettings,
  });
  return {
    task: task.name,
    step: meta.step,
    samples: meta.microBatches * task.microBatchSize,
    testSamples: test.samples,
    loss,
    accuracy,
    backend,
    notes,
  };
}

/** The backend asked for; or the run's own, whose evaluations then have the same bits; or the first that works. */
async function backendFor(
  { backend: requested, backendSettings }: EvaluationOrder,
  runs: string | undefined,
  notes: string[],
): Promise<BackendName> {
  if (requested === undefined && runs !== undefined && isBackendName(runs)) {
    const { available, reason } = await probeBackend(runs, backendSettings);
    if (available) return runs;
    notes.push(`The run was computed on ${runs}, which is unavailable here (${reason}): the last digits may differ.`);
  }
  return chooseBackend(requested, { info() {} }, backendSettings);
}
