import { leafCoefficients, stepCoefficients } from "../../shared/optimizer/index.js";
import { microBatchesOf, type Task } from "../../tasks/index.js";
import type { KappaFile } from "../record/index.js";
import type { CoordinatorCoreOptions } from "./core/index.js";

export interface CoreFacts {
  readonly shards: number;
  /** The last term that was made durable. */
  readonly term: number;
  readonly kappa: KappaFile;
  /** Steps that an earlier process is known to have committed. */
  readonly stepsBefore: number;
  readonly evaluationBatches: number;
  readonly workersAwaited: number;
  readonly awaitMs: number;
}

/** The task as the coordinator's core needs it: samples become micro-batches, and formulas become functions. */
export function coreOptions(task: Task, { kappa, ...facts }: CoreFacts): CoordinatorCoreOptions {
  const b = task.microBatchSize;
  const microBatches = (samples: number): number => Math.max(1, Math.ceil(samples / b));
  return {
    ...facts,
    microBatchesPerStep: task.microBatchesPerStep,
    microBatchSize: b,
    kappaRecord: kappa.facts,
    replay: kappa.replay,
    microBatchesTotal: microBatchesOf(task),
    checkpointEvery: microBatches(task.checkpointEverySamples),
    evaluateEvery: microBatches(task.evaluateEverySamples),
    checkpointsKept: task.checkpointsKept,
    coefficients: (step) =>
      stepCoefficients({
        ...step,
        optimizer: task.optimizer,
        hyperparameters: task,
        schedule: task.schedule,
        microBatchSize: b,
      }),
    leafCoefficients: (count) => leafCoefficients(task.optimizer, task, count),
  };
}
