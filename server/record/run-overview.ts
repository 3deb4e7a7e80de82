/** A run directory's results at a glance, for lists of runs: read from its files, whether a server runs on it or not. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseWritten } from "../../shared/parse-json.js";
import { readRegularFile } from "../../shared/regular-file.js";
import type { Task } from "../../tasks/index.js";
import { readJsonLines } from "./json-lines.js";
import { lockHolder } from "./lock.js";
import { METRICS_FILE, type MetricsLine } from "./metrics.js";
import { RUN_FILES, readRunDirectory } from "./run-directory.js";
import type { RunFacts } from "./run-facts.js";
import type { Summary } from "./summary.js";

/**
 * - `running`: a server runs on it;
 * - `complete`: trained to its end;
 * - `failed`: its last start ended with a failure;
 * - `stopped`: none of these, so the same command resumes it.
 */
export type RunCondition = "running" | "complete" | "failed" | "stopped";

export interface TestScore {
  readonly step: number;
  readonly loss: number;
  /** Share in [0, 1]; null where it has no meaning. */
  readonly accuracy: number | null;
}

export interface RunOverview {
  readonly folder: string;
  readonly task: string;
  readonly runId: string;
  readonly state: RunCondition;
  /** Null in a directory of a version that did not record them yet. */
  readonly facts: RunFacts | null;
  readonly steps: number;
  readonly samples: number;
  readonly samplesTotal: number;
  /** The loss of the last step; null before the first. */
  readonly trainingLoss: number | null;
  /** The last evaluation, and the one with the highest accuracy, or the lowest loss where there is none; not of untrained weights. */
  readonly last: TestScore | null;
  readonly best: TestScore | null;
  /** The state hash; null unless the run ended where its metrics end. */
  readonly stateHash: string | null;
  /** ISO 8601: when it ended or, without that, when its metrics were last written; null before the first line. */
  readonly changedAt: string | null;
  /** Why it failed. */
  readonly failure: string | null;
}

/** @throws {IsobatchError} `invalid_input` if it is not a run directory; `damaged` if a file can't be read */
export function readRunOverview(folder: string): RunOverview {
  const { identity, taskJson } = readRunDirectory(folder);
  const task = parseWritten<Task>(taskJson, join(folder, RUN_FILES.task));
  const progress = readProgress(folder);
  const text = readRegularFile(join(folder, RUN_FILES.summary));
  const written = text === undefined ? undefined : parseWritten<Summary>(text, join(folder, RUN_FILES.summary));
  const isRunning = lockHolder(folder) !== undefined;
  // A summary is of the last orderly end. A run that was resumed since and then killed has got further.
  const summary = !isRunning && written?.steps === progress.steps ? written : undefined;
  const failure = summary?.failure?.reason ?? null;
  const isComplete = summary !== undefined && summary.samples >= task.samples;
  return {
    folder,
    task: identity.taskName,
    runId: identity.runId,
    state: isRunning ? "running" : failure !== null ? "failed" : isComplete ? "complete" : "stopped",
    facts: identity.facts ?? null,
    samplesTotal: task.samples,
    ...progress,
    stateHash: summary?.stateHash ?? null,
    changedAt: summary?.finishedAt ?? modified(join(folder, METRICS_FILE)),
    failure,
  };
}

type Progress = Pick<RunOverview, "steps" | "samples" | "trainingLoss" | "last" | "best">;

function readProgress(folder: string): Progress {
  let [steps, samples] = [0, 0];
  let trainingLoss: number | null = null;
  let last: TestScore | null = null;
  let best: TestScore | null = null;
  for (const line of readJsonLines<MetricsLine>(join(folder, METRICS_FILE))) {
    if (line.type === "step") {
      [steps, samples, trainingLoss] = [line.step + 1, line.samples, line.loss];
    } else if (line.type === "evaluation" && line.step > 0) {
      const { step, loss, accuracy } = line;
      last = { step, loss, accuracy };
      if (best === null || isBetterScore(last, best)) best = last;
    }
  }
  return { steps, samples, trainingLoss, last, best };
}

/** Whether a score has the higher accuracy, or the lower loss where one of the two has no accuracy. */
export function isBetterScore(one: Omit<TestScore, "step">, other: Omit<TestScore, "step">): boolean {
  const bothKnown = one.accuracy !== null && other.accuracy !== null;
  return bothKnown ? one.accuracy > other.accuracy : one.loss < other.loss;
}

function modified(path: string): string | null {
  return statSync(path, { throwIfNoEntry: false })?.mtime.toISOString() ?? null;
}
