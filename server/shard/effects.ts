import { IsobatchError } from "../../shared/errors.js";
import { failAt } from "../../shared/fail-point.js";
import type { Layout } from "../../shared/layout/index.js";
import type { StepPlan } from "../../shared/steps/index.js";
import type { CheckpointStore } from "../checkpoint/index.js";
import type { CheckpointWriter } from "./checkpoint-writer.js";
import type { ShardEffect, ShardEvent, ShardReport } from "./core/index.js";
import type { CommitMeasures, Measures } from "./measures.js";
import type { Publisher } from "./publisher.js";
import type { Slice } from "./slice.js";

/** A report with what only the shell can measure. */
export type MeasuredReport = ShardReport & { readonly measured?: CommitMeasures };

export interface EffectsOptions {
  readonly layout: Layout;
  /** The slice's chunks that never change. */
  readonly frozen: readonly number[];
  readonly slice: Slice;
  readonly store: Pick<CheckpointStore, "load" | "dropNewerThan">;
  readonly writer: CheckpointWriter;
  readonly publisher: Publisher;
  readonly measures: Measures;
  /** The run's, now. */
  epoch(): number;
  dispatch(event: ShardEvent): void;
  report(report: MeasuredReport): void;
}

/** @returns what performs one effect of a shard's core */
export function createEffects(options: EffectsOptions): (effect: ShardEffect) => void {
  const { layout, slice, store, writer, publisher, measures } = options;

  /** Synchronous, so that no newer load can come in between. */
  function load(epoch: number, step: number): void {
    try {
      const meta = slice.restore((into, elements) => store.load(step, into, elements));
      store.dropNewerThan(step);
      for (const chunk of options.frozen) publisher.publish(layout.chunks[chunk], epoch, step);
      const { microBatches, c1, c2, noise } = meta;
      options.dispatch({ kind: "restored", epoch, mark: { step, microBatches, c1, c2, ...(noise && { noise }) } });
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      options.dispatch({ kind: "restoreFailed", epoch, step, reason: error.message });
    }
  }

  function apply(index: number, slot: number, plan: StepPlan): void {
    failAt("shard.apply");
    const start = performance.now();
    const chunk = layout.chunks[index];
    const norms = slice.norms(chunk, slot);
    if (!Number.isFinite(norms.squaredNorm1 + norms.sum2)) throw overflow(plan);
    slice.apply(chunk, slot, plan);
    measures.applied(index, performance.now() - start, chunk.kind === "parameter" ? norms : undefined);
  }

  return (effect) => {
    switch (effect.kind) {
      case "load":
        return load(effect.epoch, effect.step);
      case "stage":
      case "accumulate": {
        const start = performance.now();
        slice[effect.kind](layout.chunks[effect.chunk], effect.slot, effect.leaf);
        return measures.merged(performance.now() - start);
      }
      case "merge": {
        const start = performance.now();
        slice.merge(layout.chunks[effect.chunk], effect.into, effect.from);
        return measures.merged(performance.now() - start);
      }
      case "apply":
        return apply(effect.chunk, effect.slot, effect.plan);
      case "publish":
        return publisher.publish(layout.chunks[effect.chunk], effect.epoch, effect.version);
      case "snapshot":
        return writer.write(slice.snapshot(), effect.mark, options.epoch());
      case "report": {
        const { report } = effect;
        return options.report(report.kind === "committed" ? { ...report, measured: measures.taken() } : report);
      }
    }
  };
}

/**
 * Each gradient was finite, but not their sums or squares: one lease of all leaves would have been found out by its
 * worker, so it must not depend on how the leaves were leased.
 */
function overflow({ step, firstMicroBatch, microBatches }: StepPlan): IsobatchError {
  return new IsobatchError(
    "diverged",
    `The run has diverged at step ${step}: the sums of micro-batches ${firstMicroBatch} to ` +
      `${firstMicroBatch + microBatches - 1} overflow float32; lower learningRate, or set clipNorm. Checkpoints are ` +
      "those before that step.",
  );
}
