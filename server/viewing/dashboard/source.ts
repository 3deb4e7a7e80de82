import type { Precision } from "../../../shared/precision.js";
import type { ControlRequest, Status, Status__Output } from "../../../shared/wire/index.js";
import type { Task } from "../../../tasks/index.js";
import { type Coordinator, control, type Tally } from "../../coordinator/index.js";
import type { MetricsLine, RunRecord } from "../../record/index.js";
import type { ShardTraffic } from "../../shard/index.js";

/** All that the dashboard and the metrics know of a run. */
export interface DashboardSource {
  readonly runId: string;
  /** Of Isobatch. */
  readonly version: string;
  readonly task: TaskFacts;
  status(): Status__Output;
  readonly metrics: Pick<RunRecord<MetricsLine>, "subscribe">;
  figures(): RunFigures;
  /** Does what a person asks for; see `control`. */
  control(request: ControlRequest): string;
}

/** What a person wants to know of a task. */
export interface TaskFacts {
  readonly name: string;
  readonly optimizer: string;
  /** At κ = 1. */
  readonly learningRate: number;
  /** b. */
  readonly microBatchSize: number;
  readonly precision: Precision;
}

/** What the status has no place for. */
export interface RunFigures {
  /** Steps of the checkpoints that every shard holds, ascending. */
  readonly checkpoints: readonly number[];
  /** Since the newest was written or loaded. */
  readonly checkpointAgeSeconds: number | undefined;
  readonly recomputedSteps: number;
  readonly tally: Omit<Tally, "event" | "effect" | "samplesSent">;
  /** By the shard's number. */
  readonly shardTraffic: readonly (ShardTraffic | undefined)[];
}

export interface SourceOptions {
  readonly coordinator: Coordinator;
  readonly task: Task;
  readonly runId: string;
  readonly version: string;
  readonly metrics: Pick<RunRecord<MetricsLine>, "subscribe">;
  /** With every field. */
  status(): Status;
}

export function createSource({ coordinator, task, status, ...rest }: SourceOptions): DashboardSource {
  const { optimizer, name, learningRate, microBatchSize, precision } = task;
  const words = optimizer.name === "invariant" ? `invariant Adam, ${optimizer.rule} rule` : `${optimizer.name} Adam`;
  return {
    ...rest,
    status: () => status() as Status__Output,
    task: { name, optimizer: words, learningRate, microBatchSize, precision },
    figures() {
      const { progress, state, tally, shardTraffic } = coordinator;
      const ageMs = performance.now() - progress.checkpointAtMs;
      return {
        checkpoints: commonCheckpoints(state.shards),
        checkpointAgeSeconds: Number.isNaN(ageMs) ? undefined : ageMs / 1000,
        recomputedSteps: progress.recomputedSteps,
        tally,
        shardTraffic,
      };
    },
    control: (request) => control(coordinator, request),
  };
}

function commonCheckpoints(shards: readonly { readonly checkpoints: ReadonlySet<number> }[]): number[] {
  return [...shards[0].checkpoints]
    .filter((step) => shards.every(({ checkpoints }) => checkpoints.has(step)))
    .sort((a, b) => a - b);
}
