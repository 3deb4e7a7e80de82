import { IsobatchError } from "../../shared/errors.js";
import { failAt } from "../../shared/fail-point.js";
import type { Layout } from "../../shared/layout/index.js";
import type { StepPlan } from "../../shared/steps/index.js";
import type { CheckpointStore } from "../checkpoint/index.js";
import type { SumsSource } from "./arithmetic/source.js";
import type { SliceMove } from "./arithmetic/staged.js";
import type { CheckpointWriter } from "./checkpoint-writer.js";
import type { ShardEffect, ShardEvent, ShardReport } from "./core/index.js";
import type { CommitMeasures, Measures } from "./measures.js";
import type { NearSharing } from "./near/near-sharing.js";
import type { Publisher } from "./publisher.js";
import type { ShardSlice } from "./slice.js";

/** A report with the values that only the shell can measure. */
export type MeasuredReport = ShardReport & { readonly measured?: CommitMeasures };

/** A unit of the shell's work: one effect of the core, or all of one decision's arithmetic together. */
export type ShardWork =
  | Exclude<ShardEffect, SliceMove>
  | {
      readonly kind: "compute";
      readonly moves: readonly SliceMove[];
      /** The place of the node's sums of a chunk. */
      readonly incoming: (chunk: number) => SumsSource;
    };

/** The arithmetic of one decision together, then the other effects in order. */
export function workOf(
  effects: readonly ShardEffect[],
  incoming: (chunk: number) => SumsSource = nothingCame,
): ShardWork[] {
  const moves: SliceMove[] = [];
  const rest: ShardWork[] = [];
  for (const effect of effects) {
    switch (effect.kind) {
      case "stage":
      case "accumulate":
      case "merge":
      case "apply":
        moves.push(effect);
        break;
      default:
        rest.push(effect);
    }
  }
  return moves.length === 0 ? rest : [{ kind: "compute", moves, incoming }, ...rest];
}

function nothingCame(chunk: number): never {
  throw new Error(`chunk ${chunk} was staged without its sums`);
}

export interface ShardEffectsOptions {
  readonly layout: Layout;
  /** The slice's chunks that never change. */
  readonly frozen: readonly number[];
  readonly slice: ShardSlice;
  readonly store: Pick<CheckpointStore, "load" | "dropNewerThan">;
  readonly writer: CheckpointWriter;
  readonly publisher: Publisher;
  /** Undefined if no memory is shared. */
  readonly sharing: NearSharing | undefined;
  readonly measures: Measures;
  /** The run's present term. */
  term(): number;
  dispatch(event: ShardEvent): void;
  report(report: MeasuredReport): void;
}

/** @returns a function that performs one unit of the work that a shard's core decides */
export function createEffects(options: ShardEffectsOptions): (work: ShardWork) => void {
  const { layout, slice, store, writer, publisher, sharing, measures } = options;
  const weights = sharing?.weights;

  /**
   * Synchronous, so that no newer load can come in between. θ has counted as changing since the event that asked for
   * the load.
   */
  function load(term: number, step: number): void {
    try {
      const meta = slice.restore((into, elements) => store.load(step, into, elements));
      store.dropNewerThan(step);
      for (const chunk of options.frozen) publisher.publish(layout.chunks[chunk], term, step);
      weights?.wroteAll();
      const { microBatches, c1, c2, noise } = meta;
      options.dispatch({ kind: "restored", term, mark: { step, microBatches, c1, c2, ...(noise && { noise }) } });
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      options.dispatch({ kind: "restoreFailed", term, step, reason: error.message });
    }
  }

  function compute(moves: readonly SliceMove[], incoming: (chunk: number) => SumsSource): void {
    const plan = moves.find((move) => move.kind === "apply")?.plan;
    if (plan !== undefined) failAt("shard.apply");
    const start = performance.now();
    if (plan !== undefined) weights?.startChange();
    const updated = slice.perform(moves, incoming);
    const ms = performance.now() - start;
    if (plan === undefined) return measures.merged(ms);
    for (const { chunk, norms } of updated) {
      if (!Number.isFinite(norms.squaredNorm1 + norms.sum2)) throw overflow(plan);
      if (layout.chunks[chunk].kind === "parameter") measures.norms(chunk, norms);
      weights?.wrote(layout.chunks[chunk]);
    }
    measures.applied(ms);
  }

  return (work) => {
    switch (work.kind) {
      case "load":
        return load(work.term, work.step);
      case "compute":
        return compute(work.moves, work.incoming);
      case "publish":
        return publisher.publish(layout.chunks[work.chunk], work.term, work.version);
      case "snapshot":
        return writer.write(slice.snapshot(), work.mark, options.term());
      case "report": {
        const { report } = work;
        if (report.kind === "restored") weights?.setVersion(report.term, report.mark.step);
        if (report.kind !== "committed") return options.report(report);
        slice.clear();
        sharing?.returned();
        weights?.setVersion(report.term, report.step + 1);
        return options.report({ ...report, measured: measures.taken() });
      }
    }
  };
}

/**
 * Each gradient was finite, but not their sums or squares. If one lease had covered all leaves, its worker would have
 * detected that; the result must not depend on how the leaves were leased.
 */
function overflow({ step, firstMicroBatch, microBatches }: StepPlan): IsobatchError {
  return new IsobatchError(
    "diverged",
    `The run has diverged at step ${step}: the sums of micro-batches ${firstMicroBatch} to ` +
      `${firstMicroBatch + microBatches - 1} overflow float32; lower learningRate, or set clipNorm. Checkpoints are ` +
      "those before that step.",
  );
}
