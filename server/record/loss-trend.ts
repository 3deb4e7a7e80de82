import { join } from "node:path";
import { readJsonLines } from "./json-lines.js";
import { METRICS_FILE, type MetricsLine } from "./metrics.js";

/** The training loss before a run's first update, and at its end. */
export interface LossTrend {
  /** The loss of the first step. */
  readonly first: number;
  /** The mean over the last `steps` steps, as single steps are noisy. */
  readonly last: number;
  readonly steps: number;
  /** Whether the end is above the first step by more than noise. */
  readonly risen: boolean;
}

const STEPS_MAX = 50;
/** With fewer steps, their noise cannot be estimated. */
const STEPS_COMPARED_MIN = 5;
/**
 * A loss of this many times the first is not noise. If training fails at once, later losses are as noisy as they are
 * large.
 */
const RISE_MIN = 2;
/** Below that, a rise is more than noise from this many standard deviations on. */
const DEVIATIONS_MIN = 2;

/** The trend from a run's metrics.jsonl; undefined before the second step. */
export function readLossTrend(runFolder: string): LossTrend | undefined {
  let first: number | undefined;
  const losses: number[] = [];
  let count = 0;
  for (const line of readJsonLines<MetricsLine>(join(runFolder, METRICS_FILE))) {
    if (line.type !== "step") continue;
    first ??= line.loss;
    losses.push(line.loss);
    if (losses.length > STEPS_MAX) losses.shift();
    count += 1;
  }
  const steps = Math.min(STEPS_MAX, Math.floor(count / 2));
  if (first === undefined || steps === 0) return undefined;
  const end = losses.slice(-steps);
  const last = mean(end);
  const noise = steps < STEPS_COMPARED_MIN ? Number.POSITIVE_INFINITY : DEVIATIONS_MIN * deviationFromMean(end);
  return { first, last, steps, risen: last > RISE_MIN * first || last - first > noise };
}

/** The standard deviation of the difference between one step's loss and the mean of these. */
function deviationFromMean(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt((squares / (values.length - 1)) * (1 + 1 / values.length));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
