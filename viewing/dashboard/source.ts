import type { RunSource } from "../../server/index.js";
import type { Precision } from "../../shared/precision.js";

/** Everything that the dashboard and the metrics know of a run. */
export interface DashboardSource
  extends Pick<RunSource, "runId" | "version" | "metrics" | "status" | "figures" | "control"> {
  readonly task: TaskFacts;
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

export function dashboardSource({ task, ...rest }: RunSource): DashboardSource {
  const { optimizer, name, learningRate, microBatchSize, precision } = task;
  const words = optimizer.name === "invariant" ? `invariant Adam, ${optimizer.rule} rule` : `${optimizer.name} Adam`;
  return { ...rest, task: { name, optimizer: words, learningRate, microBatchSize, precision } };
}
