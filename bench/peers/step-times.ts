/** The time of a step from a run's metrics, and from how the file grew under the clock of a process that only looked at it. */
import type { MetricsLine } from "../../server/record/index.js";
import { median } from "../statistics.js";
import type { TrainedOnce } from "./comparison.js";

/** How long the file was at a time of the onlooker's clock. */
export interface Look {
  readonly atMs: number;
  readonly bytes: number;
}

export interface SeenSteps {
  readonly steps: readonly { readonly ms: number; readonly loss: number }[];
  /** How many of them were done at each look. */
  readonly seen: readonly { readonly atMs: number; readonly steps: number }[];
}

/**
 * @param metrics the file's text.
 * @param looks in order of time.
 */
export function seenSteps(metrics: string, looks: readonly Look[]): SeenSteps {
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
export function stepTimes(metrics: string, looks: readonly Look[], warmUp: number): TrainedOnce {
  const { steps, seen } = seenSteps(metrics, looks);
  const counted = seen.filter((look) => look.steps >= warmUp);
  const [first] = counted;
  // What is written after the last step is no step: the first look that saw all of them ends the time.
  const last = counted.find((look) => look.steps === steps.length);
  if (last === undefined || last.steps === first.steps) {
    throw new Error(`The run's ${steps.length} steps went by unseen; give it more of them.`);
  }
  return {
    stepMs: median(steps.slice(warmUp).map(({ ms }) => ms)),
    wallMs: (last.atMs - first.atMs) / (last.steps - first.steps),
    losses: steps.map(({ loss }) => loss),
  };
}
