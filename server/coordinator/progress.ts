import { join } from "node:path";
import { type EvaluationLine, METRICS_FILE, type MetricsLine, readJsonLines, type StepLine } from "../observe/index.js";

/** What status and displays show. */
export interface Progress {
  lastStep: StepLine | undefined;
  lastEvaluation: EvaluationLine | undefined;
  samplesPerSecond: number;
  /** Samples committed by this process. */
  samplesOfSitting: number;
  checkpointStep: number;
  /** When the checkpoint was written or loaded, on the monotonic clock: a crash now would lose what came after. */
  checkpointAtMs: number;
  recomputedSteps: number;
  /** So many workers pay, more don't; 0: not known yet. */
  readonly workersAdvised: number;
  /** The furthest boundary that this process has committed, whatever was restored since. */
  furthestStep: number;
  /** Why the run has failed, a sentence; empty: it has not. */
  failure: string;
}

/** What the metrics of earlier processes of this run say. */
export function readEarlier(folder: string): { steps: number | undefined; recomputed: number } {
  let steps: number | undefined;
  let recomputed = 0;
  for (const line of readJsonLines<MetricsLine>(join(folder, METRICS_FILE))) {
    if (line.type === "step") steps = line.step + 1;
    if (line.type === "event" && line.event === "restored") recomputed += Number(line.recomputedSteps ?? 0);
  }
  return { steps, recomputed };
}
