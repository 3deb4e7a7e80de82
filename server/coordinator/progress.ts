import { join } from "node:path";
import { type EvaluationLine, METRICS_FILE, type MetricsLine, readJsonLines, type StepLine } from "../record/index.js";
import type { Speed } from "./speed.js";

/** The progress that status and displays show. */
export interface Progress {
  lastStep: StepLine | undefined;
  lastEvaluation: EvaluationLine | undefined;
  readonly samplesPerSecond: number;
  /** Samples committed by this process. */
  samplesOfProcess: number;
  checkpointStep: number;
  /** When the checkpoint was written or loaded, on the monotonic clock: a crash now would lose what came after. */
  checkpointAtMs: number;
  recomputedSteps: number;
  /** The furthest boundary that this process has committed, regardless of later rollbacks. */
  furthestStep: number;
  /** Why the run has failed, a sentence; empty if it has not. */
  failure: string;
}

export function createProgress(earlier: Earlier, speed: Speed): Progress {
  return {
    lastStep: undefined,
    lastEvaluation: undefined,
    get samplesPerSecond() {
      return speed.samplesPerSecond;
    },
    samplesOfProcess: 0,
    checkpointStep: -1,
    checkpointAtMs: Number.NaN,
    recomputedSteps: earlier.recomputed,
    furthestStep: -1,
    failure: "",
  };
}

/** What earlier processes of this run have recorded in its metrics. */
export interface Earlier {
  /** The number of steps recorded; undefined if there is none. */
  readonly steps: number | undefined;
  /** The number of steps that were computed again. */
  readonly recomputed: number;
}

export function readEarlier(folder: string): Earlier {
  let steps: number | undefined;
  let recomputed = 0;
  for (const line of readJsonLines<MetricsLine>(join(folder, METRICS_FILE))) {
    if (line.type === "step") steps = line.step + 1;
    if (line.type === "event" && line.event === "restored") recomputed += Number(line.recomputedSteps ?? 0);
  }
  return { steps, recomputed };
}
