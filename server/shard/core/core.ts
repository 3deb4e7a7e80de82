import type { CheckpointMark, StepPlan } from "../../../shared/steps/index.js";
import { admit } from "./admit.js";
import { judge } from "./judge.js";
import type { ChunkVerdict, OfferedChunk, OfferedNode, ShardEffect, ShardEvent } from "./messages.js";
import { clearStep, createOpenStep, ledgerOf, openStep } from "./open-step.js";
import { createSlots } from "./slots.js";

/**
 * A shard's decisions, without any I/O: events and offered chunks go in, effects come out, and the shell performs
 * them in order. docs/internals/state-machines.md has every transition.
 *
 * A step needs no order from outside to commit: each chunk is updated as soon as its own root is complete, because
 * no other chunk's value enters the update. Readers are safe all the same: a chunk carries its version, and a
 * worker has version s only when all chunks say s. From the first updated chunk to the last, version s is no longer
 * available, which is reported to the coordinator: only workers that hold it by then can finish the step.
 */
export interface ShardCore {
  handle(event: ShardEvent): ShardEffect[];
  /**
   * Judges one chunk of a node by its numbers, and changes nothing: its sums need not have been read.
   * @param promised how many chunks have been judged `accepted` that will be admitted together with this one
   */
  judge(offered: OfferedChunk, promised?: number): ChunkVerdict;
  /**
   * Admits chunks of the node that have just been judged `accepted`: one, or several at once, whose arithmetic may then
   * be done in parallel. The effects must be performed before anything else is offered.
   */
  admit(node: OfferedNode, chunks: readonly number[]): ShardEffect[];
  /** For status and tests. */
  readonly state: Readonly<ShardCoreState>;
}

export interface ShardCoreOptions {
  /** Chunks of this slice that are trained or averaged, ascending; the core does not deal with frozen ones. */
  readonly chunks: readonly number[];
  /** Whether this is the shard whose commit carries the losses. */
  readonly reportsLosses: boolean;
  /** Staged chunks held at once, beyond which only the node with a chunk's lowest uncovered leaf is admitted. */
  readonly slotsMax: number;
}

export interface ShardCoreState {
  /** `detached`: no coordinator; `loading`: a checkpoint is being read; `serving`: at a version, with or without its plan. */
  phase: "detached" | "loading" | "serving";
  term: number;
  /** The slice's version: the step that is open, or will be when its plan comes. */
  step: number;
  readonly plan: StepPlan | undefined;
  readonly slotsUsed: number;
}

export function createShardCore(options: ShardCoreOptions): ShardCore {
  const slots = createSlots();
  const step = createOpenStep(options.chunks);
  const state: ShardCoreState = {
    phase: "detached",
    term: 0,
    step: 0,
    get plan() {
      return step.plan;
    },
    get slotsUsed() {
      return slots.used;
    },
  };

  const publish = (chunk: number): ShardEffect => ({ kind: "publish", chunk, term: state.term, version: state.step });

  function restored(mark: CheckpointMark): ShardEffect[] {
    state.phase = "serving";
    state.step = mark.step;
    clearStep(step, slots);
    return [...options.chunks.map(publish), { kind: "report", report: { kind: "restored", term: state.term, mark } }];
  }

  function open(plan: StepPlan): ShardEffect[] {
    openStep(step, plan);
    if (step.chunksLeft > 0) return [];
    // A slice with only frozen weights: there is nothing to wait for.
    const { term, step: number, microBatches } = plan;
    const covered: ShardEffect = {
      kind: "report",
      report: { kind: "covered", term, step: number, lo: 0, hi: microBatches },
    };
    return [covered, commit(plan)];
  }

  function commit(plan: StepPlan): ShardEffect {
    const ledger = ledgerOf(step);
    const losses = options.reportsLosses ? step.losses : [];
    state.step = plan.step + 1;
    clearStep(step, slots);
    return { kind: "report", report: { kind: "committed", term: plan.term, step: plan.step, ledger, losses } };
  }

  return {
    state,

    handle(event) {
      switch (event.kind) {
        case "restore":
          state.term = event.term;
          state.phase = "loading";
          clearStep(step, slots);
          return [{ kind: "load", term: event.term, step: event.step }];
        case "restored":
          // A load that a newer term has superseded is ignored.
          return event.term === state.term && state.phase === "loading" ? restored(event.mark) : [];
        case "restoreFailed":
          if (event.term !== state.term || state.phase !== "loading") return [];
          return [{ kind: "report", report: { ...event, kind: "restoreFailed" } }];
        case "plan": {
          const { plan } = event;
          const expected = state.phase === "serving" && plan.term === state.term && plan.step === state.step;
          return expected && step.plan === undefined ? open(plan) : [];
        }
        case "checkpoint": {
          const atBoundary = state.phase === "serving" && step.plan === undefined && event.mark.step === state.step;
          return event.term === state.term && atBoundary ? [{ kind: "snapshot", mark: event.mark }] : [];
        }
        case "checkpointed":
          return [{ kind: "report", report: { kind: "checkpointed", step: event.step, error: event.error } }];
        case "detached":
          state.phase = "detached";
          clearStep(step, slots);
          return [];
      }
    },

    judge: (offered, promised = 0) => judge(state, step, options.slotsMax - slots.used - promised, offered),

    admit(node, chunks) {
      const { plan } = step;
      if (plan === undefined || node.term !== state.term || node.step !== state.step) {
        throw new Error(`A node of step ${node.step} of term ${node.term} was admitted without being judged.`);
      }
      if (options.reportsLosses && chunks.includes(options.chunks[0])) {
        for (let leaf = node.lo; leaf < node.hi; leaf++) step.losses[leaf] = node.losses[leaf - node.lo];
      }
      const { arithmetic, applied, reports } = admit(step, slots, node, chunks);
      const published = applied.map(
        (chunk): ShardEffect => ({ kind: "publish", chunk, term: plan.term, version: plan.step + 1 }),
      );
      const committed = step.chunksLeft === 0 ? [commit(plan)] : [];
      return [...arithmetic, ...published, ...reports, ...committed];
    },
  };
}
