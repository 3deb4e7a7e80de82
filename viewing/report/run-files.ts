import { join } from "node:path";
import {
  METRICS_FILE,
  type MetricsLine,
  RUN_FILES,
  readJsonLines,
  readRunDirectory,
  type Summary,
} from "../../server/record/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { readRegularFile } from "../../shared/regular-file.js";
import type { Task } from "../../tasks/index.js";
import { collectCurves, type RunCurves } from "./curves.js";

/** What a report is made of. */
export interface RunFiles {
  readonly task: Task;
  readonly curves: RunCurves;
  /** Of the last evaluation, if there was one. */
  readonly evaluation: { readonly loss: number; readonly accuracy: number | null } | undefined;
  /** Steps and samples so far. */
  readonly steps: number;
  readonly samples: number;
  /** The newest ones, oldest first. */
  readonly events: readonly { readonly event: string; readonly at: string }[];
  /** Missing while the run goes on. */
  readonly summary: Summary | undefined;
}

const EVENTS_MAX = 50;

/** Reads a run directory's files; works while the run goes on, too. */
export function readRunFiles(runFolder: string): RunFiles {
  const task = parse<Task>(readRunDirectory(runFolder).taskJson, RUN_FILES.task);
  const summaryText = readRegularFile(join(runFolder, RUN_FILES.summary));
  const summary = summaryText === undefined ? undefined : parse<Summary>(summaryText, RUN_FILES.summary);
  const events: { event: string; at: string }[] = [];
  let evaluation: RunFiles["evaluation"];
  let [steps, samples] = [0, 0];
  function* watched(): Generator<MetricsLine> {
    for (const line of readJsonLines<MetricsLine>(join(runFolder, METRICS_FILE))) {
      if (line.type === "step") [steps, samples] = [line.step + 1, line.samples];
      if (line.type === "evaluation") evaluation = line;
      if (line.type === "event") {
        events.push(line);
        if (events.length > EVENTS_MAX) events.shift();
      }
      yield line;
    }
  }
  const curves = collectCurves(watched(), task.microBatchSize);
  return { task, curves, evaluation, steps, samples, events, summary };
}

function parse<T>(json: string, file: string): T {
  try {
    return JSON.parse(json) as T;
  } catch (error) {
    throw new IsobatchError("damaged", `${file} of the run is damaged: it is not JSON.`, { cause: error });
  }
}
