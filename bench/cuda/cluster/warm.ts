/** A run's steps after its warm-up, by its metrics: how long they and their phases took, and when they ran. */
import { METRICS_FILE, type MetricsLine } from "../../../server/record/index.js";
import { type FileLook, seenSteps } from "../../peers/step-times.js";
import { median } from "../../statistics.js";

export interface Warm {
  readonly steps: number;
  /** Medians of the warm steps, in ms. */
  readonly phases: Readonly<Record<string, number>>;
  readonly firstStepsMs: readonly number[];
  readonly firstLoss: number;
  readonly lastLoss: number;
  /** The warm steps' speed by the wall clock; or, if no look saw them, by the median of the times that they logged. */
  readonly samplesPerSecond: number;
  /** When the warm steps ran, by the looks' clock; undefined: no look saw them. */
  readonly span: { readonly fromMs: number; readonly toMs: number } | undefined;
}

const FIRST_STEPS = 5;
const WARM_UP_MAX = 10;

/** The number of steps before the first one that counts: in these, gradients are traced and programs are made. */
const warmUpOf = (steps: number): number => Math.min(WARM_UP_MAX, Math.ceil(steps / 3));

/**
 * @param metrics the text of `metrics.jsonl`.
 * @param looks the file's length at several times.
 */
export function warmOf(metrics: string, looks: readonly FileLook[]): Warm {
  const { seen } = seenSteps(metrics, looks);
  const lines = metrics.trimEnd().split("\n");
  const steps = lines.map((line) => JSON.parse(line) as MetricsLine).filter((line) => line.type === "step");
  if (steps.length === 0) throw new Error(`${METRICS_FILE} has no step`);
  const warmUp = warmUpOf(steps.length);
  const warm = steps.slice(warmUp);
  const names = [...new Set(warm.flatMap(({ ms }) => Object.keys(ms)))];
  const phases = Object.fromEntries(names.map((name) => [name, median(warm.map(({ ms }) => ms[name] ?? 0))]));
  const first = seen.find((look) => look.steps >= warmUp);
  const last = seen.find((look) => look.steps === steps.length);
  const isSeen = first !== undefined && last !== undefined && last.steps > first.steps;
  const stepMs = isSeen ? (last.atMs - first.atMs) / (last.steps - first.steps) : phases.step;
  return {
    ...{ steps: steps.length, phases, firstStepsMs: steps.slice(0, FIRST_STEPS).map(({ ms }) => Math.round(ms.step)) },
    ...{ firstLoss: steps[0].loss, lastLoss: steps[steps.length - 1].loss },
    samplesPerSecond: (1000 * steps[0].samples) / stepMs,
    span: isSeen ? { fromMs: first.atMs, toMs: last.atMs } : undefined,
  };
}
