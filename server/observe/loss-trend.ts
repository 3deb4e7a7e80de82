import { join } from "node:path";
import { readJsonLines } from "./json-lines.js";
import { METRICS_FILE, type MetricsLine } from "./metrics.js";

/** The training loss at a run's beginning and end. */
export interface LossTrend {
  /** Means over the first and the last `steps` steps, as single steps are noisy. */
  readonly first: number;
  readonly last: number;
  readonly steps: number;
  /** Whether the end is above the start by more than the steps' noise. */
  readonly risen: boolean;
}

/** The first and the last steps never overlap. */
const STEPS_MAX = 50;
/** Fewer show no noise of their own. */
const STEPS_COMPARED_MIN = 5;
/** Then the loss has risen if it is so many times what it was. */
const RISE_MIN = 1.5;
/** Otherwise, if it is so many standard errors above. */
const ERRORS_MIN = 2;

/** From a run's metrics.jsonl; undefined before the second step. */
export function readLossTrend(runFolder: string): LossTrend | undefined {
  const first: number[] = [];
  const last: number[] = [];
  let count = 0;
  for (const line of readJsonLines<MetricsLine>(join(runFolder, METRICS_FILE))) {
    if (line.type !== "step") continue;
    if (first.length < STEPS_MAX) first.push(line.loss);
    last.push(line.loss);
    if (last.length > STEPS_MAX) last.shift();
    count += 1;
  }
  const steps = Math.min(STEPS_MAX, Math.floor(count / 2));
  if (steps === 0) return undefined;
  const [start, end] = [first.slice(0, steps), last.slice(-steps)];
  return { first: mean(start), last: mean(end), steps, risen: hasRisen(start, end) };
}

function hasRisen(start: readonly number[], end: readonly number[]): boolean {
  const [before, after] = [mean(start), mean(end)];
  if (start.length < STEPS_COMPARED_MIN) return after > before * RISE_MIN;
  const error = Math.sqrt((variance(start) + variance(end)) / start.length);
  return after - before > ERRORS_MIN * error;
}

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
