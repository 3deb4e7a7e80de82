import { optimizerTitle } from "../shared/optimizer/index.js";
import { stateHash } from "../shared/state-hash.js";
import { version } from "../shared/version.js";
import type { Task } from "../tasks/index.js";
import { readNewestCheckpoint } from "./checkpoint/index.js";
import type { Coordinator } from "./coordinator/index.js";
import { type RunDirectory, readLossTrend, type Summary, summarize } from "./record/index.js";

export interface SummarySource {
  readonly task: Task;
  readonly directory: RunDirectory;
  readonly coordinator: Coordinator;
  /** When the server started, on the monotonic clock. */
  readonly startedAt: number;
}

/** The contents of summary.json, from the run's newest checkpoint and the coordinator's counts. */
export function summaryOf(source: SummarySource, failure: Summary["failure"] = null): Summary {
  const { task, directory, coordinator, startedAt } = source;
  const { meta, state } = readNewestCheckpoint(directory.folder);
  const bytes = (values: Float32Array): Uint8Array[] => [
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  ];
  const { progress, members } = coordinator;
  const { lastEvaluation: last } = progress;
  const all = members.all();
  const classes = new Set(all.map(({ numerics: n }) => `${n.backend} ${n.version} ${n.architecture} ${n.flags}`));
  return summarize({
    task: task.name,
    optimizer: optimizerTitle(task.optimizer),
    runId: directory.identity.runId,
    version,
    stateHash: stateHash({ theta: bytes(state.theta), m: bytes(state.m), v: bytes(state.v), ...meta }),
    steps: meta.step,
    samples: meta.microBatches * task.microBatchSize,
    durationSeconds: (performance.now() - startedAt) / 1000,
    samplesOfProcess: progress.samplesOfProcess,
    recomputedSteps: progress.recomputedSteps,
    trainingLoss: readLossTrend(directory.folder) ?? null,
    finalEvaluation: last === undefined ? null : { step: last.step, loss: last.loss, accuracy: last.accuracy },
    extendedAtSamples: (task.schedule.earlier ?? []).map(({ untilSamples }) => untilSamples),
    workers: all.map(({ id, host, device, microBatches }) => ({ id, host, device, microBatches })),
    numerics: directory.identity.numerics,
    mixedNumerics: task.mixed && classes.size > 1,
    terms: directory.identity.term,
    finishedAt: new Date().toISOString(),
    failure,
  });
}
