/** The time of a step from a run's metrics, and from the growth of that file as another process saw it by its own clock. */
import type { MetricsLine } from "../../server/record/index.js";
import { median } from "../statistics.js";
import type { TrainedOnce } from "./comparison.js";

/** The length of the file at a time by the observing process's clock. */
export interface FileLook {
  readonly atMs: number;
  readonly bytes: number;
}

export interface SeenSteps {
  readonly steps: readonly { readonly ms: number; readonly loss: number }[];
  /** How many of them were done at each look at the file. */
  readonly seen: readonly { readonly atMs: number; readonly steps: number }[];
}

/**
 * @param metrics the file's text.
 * @param looks in order of time.
 */
export function seenSteps(metrics: string, looks: readonly FileLook[]): SeenSteps {
  const steps: { readonly ms: number; readonly loss: number; readonly endsAt: number }[] = [];
  let bytes = 0;
  for (const text of metrics.trimEnd().split("\n")) {
    bytes += Buffer.byteLength(text) + 1;
    const line = JSON.parse(text) as MetricsLine;
    if (line.type === "step") steps.push({ ms: line.ms.step, loss: line.loss, endsAt: bytes });
  }
  const seen = looks.map(({ atMs, bytes }) => ({ atMs, steps: steps.filter(({ endsAt }) => endsAt <= bytes).length }));
  return { steps, seen };
}

/** @param warmUp steps before the first one that counts. */
export function stepTimes(metrics: string, looks: readonly FileLook[], warmUp: number): TrainedOnce {
  const { steps, seen } = seenSteps(metrics, looks);
  const counted = seen.filter((look) => look.steps >= warmUp);
  const [first] = counted;
  // The lines after the last step are not steps: the time ends with the first look that saw all steps.
  const last = counted.find((look) => look.steps === steps.length);
  if (last === undefined || last.steps === first.steps) {
    throw new Error(`The run's ${steps.length} steps were over before any of them was seen; give the run more steps.`);
  }
  return {
    stepMs: median(steps.slice(warmUp).map(({ ms }) => ms)),
    wallMs: (last.atMs - first.atMs) / (last.steps - first.steps),
    losses: steps.map(({ loss }) => loss),
  };
}
