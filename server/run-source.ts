import { type Coordinator, control } from "./coordinator/index.js";
import type { RunFigures, RunSource } from "./run-observer.js";

export interface RunSourceOptions extends Omit<RunSource, "figures" | "control"> {
  readonly coordinator: Coordinator;
}

export function createRunSource({ coordinator, ...rest }: RunSourceOptions): RunSource {
  return {
    ...rest,
    figures: () => figuresOf(coordinator),
    control: (request) => control(coordinator, request),
  };
}

function figuresOf({ progress, state, tally, shardTraffic }: Coordinator): RunFigures {
  const ageMs = performance.now() - progress.checkpointAtMs;
  return {
    checkpoints: commonCheckpoints(state.shards),
    checkpointAgeSeconds: Number.isNaN(ageMs) ? undefined : ageMs / 1000,
    recomputedSteps: progress.recomputedSteps,
    tally,
    shardTraffic,
  };
}

function commonCheckpoints(shards: readonly { readonly checkpoints: ReadonlySet<number> }[]): number[] {
  return [...shards[0].checkpoints]
    .filter((step) => shards.every(({ checkpoints }) => checkpoints.has(step)))
    .sort((a, b) => a - b);
}
