/** One run of the experiment, from its specification to its line of results. */

import { NonFiniteError } from "../../compute/index.js";
import type { NoiseParts } from "../../shared/optimizer/index.js";
import { checkFit, openData, type PreparedTask, type Task, type TaskData } from "../../tasks/index.js";
import { buildModel } from "../../tasks/models/index.js";
import { type Evaluation, type TrainerOptions, trainInProcess } from "../trainer.js";
import type { RunSpec } from "./runs.js";

/** A line of results.jsonl. */
export interface RunResult extends Omit<RunSpec, "task"> {
  readonly microBatchSize: number;
  /** SHA-256 of weights, averages and counters; null if the run did not reach its end. */
  readonly stateHash: string | null;
  /** The micro-batch at which a loss, gradient or sum was not finite; null if the run reached its end with finite ones. */
  readonly divergedAt: number | null;
  /** Means over the run's steps; null at κ = 1, which shows no noise. */
  readonly noise: NoiseParts | null;
  readonly seconds: number;
  /** The evaluations; the first is of the initial weights. */
  readonly evaluations: readonly Pick<Evaluation, "samples" | "loss" | "accuracy">[];
}

export interface Performer {
  /** @param onProgress called with the number of micro-batches done */
  perform(spec: RunSpec, onProgress: (microBatches: number) => void): Promise<RunResult>;
}

/** Trains runs of one experiment, one at a time; what they have in common is prepared once. */
export function createPerformer(
  backend: TrainerOptions["backend"],
  backendSettings?: TrainerOptions["backendSettings"],
): Performer {
  let data: { readonly spec: string; readonly opened: TaskData } | undefined;
  let prepared: { readonly seed: number; readonly of: PreparedTask } | undefined;

  /** Data set and model are the same for all runs, except for the seed of the weights. */
  const prepare = async (task: Task): Promise<PreparedTask> => {
    const spec = JSON.stringify([task.dataset, task.model]);
    if (data?.spec !== spec) [data, prepared] = [{ spec, opened: await openData(task) }, undefined];
    if (prepared?.seed !== task.seed) {
      const built = await buildModel(task, data.opened.train);
      checkFit(task, built.model, data.opened);
      prepared = { seed: task.seed, of: { task, data: data.opened, built } };
    }
    return prepared.of;
  };

  return {
    async perform({ task, ...spec }, onProgress) {
      const ready = await prepare(task);
      const evaluations: RunResult["evaluations"][number][] = [];
      const startedAt = performance.now();
      const outcome = await trainInProcess(task, {
        backend,
        backendSettings,
        prepared: ready,
        evaluateFirst: true,
        measureNoise: spec.kappa > 1,
        orderSeed: spec.orderSeed ?? undefined,
        onEvaluation: ({ samples, loss, accuracy }) => evaluations.push({ samples, loss, accuracy }),
        onStep: ({ samples }) => onProgress(samples / task.microBatchSize),
      }).catch((error: unknown) => {
        if (error instanceof NonFiniteError) return error;
        throw error;
      });
      const failed = outcome instanceof NonFiniteError;
      // The loss of finite weights may not be finite.
      const unbounded = evaluations.findIndex(({ loss }) => !Number.isFinite(loss));
      const divergedAt =
        unbounded >= 0 ? evaluations[unbounded].samples / task.microBatchSize : failed ? outcome.microBatch : null;
      return {
        ...spec,
        microBatchSize: task.microBatchSize,
        stateHash: failed ? null : outcome.stateHash,
        divergedAt,
        noise: failed ? null : (outcome.noise ?? null),
        seconds: (performance.now() - startedAt) / 1_000,
        evaluations: unbounded < 0 ? evaluations : evaluations.slice(0, unbounded),
      };
    },
  };
}
