import type { CheckpointMark, MergedChunks, MergedRange, StepPlan } from "../../../shared/steps/index.js";
import { isNode } from "../../../shared/sums/index.js";
import type { CoreRejection, OfferedChunk, ShardEffect, ShardEvent, Verdict } from "./messages.js";
import { holds, lowestUncovered, type SlotPool, type Staging, stageNode, uncoveredLeaves } from "./staging.js";

/**
 * A shard's decisions, without any I/O: events and offered chunks go in, effects come out, and the shell performs
 * them in order. ARCHITECTURE.md has the transition table that this file is.
 *
 * A step needs no order from outside to commit: each chunk is updated as soon as its own root is complete, because
 * no other chunk's value enters the update. Readers are safe all the same: a chunk carries its version, and a
 * worker has version s only when all chunks say s. From the first updated chunk to the last nobody can get version s
 * any more, so the coordinator is told of it: who holds it by then must live to finish the step.
 */
export interface ShardCore {
  handle(event: ShardEvent): ShardEffect[];
  /** Judges one chunk of a node; `effects` are to be performed before anything else is offered. */
  offer(offered: OfferedChunk): { verdict: Verdict; effects: ShardEffect[] };
  /** For status and tests. */
  readonly state: Readonly<ShardState>;
}

export interface ShardOptions {
  /** Chunks of this slice that are trained or averaged, ascending; frozen ones are not the core's business. */
  readonly chunks: readonly number[];
  /** Whether this is the shard whose commit carries the losses. */
  readonly reportsLosses: boolean;
  /** Staged chunks held at once, beyond which only the node with a chunk's lowest uncovered leaf is admitted. */
  readonly slotsMax: number;
}

export interface ShardState {
  /** `detached`: no coordinator; `loading`: a checkpoint is being read; `serving`: at a version, with or without its plan. */
  phase: "detached" | "loading" | "serving";
  epoch: number;
  /** The slice's version: the step that is open, or will be when its plan comes. */
  step: number;
  plan: StepPlan | undefined;
  slotsUsed: number;
}

interface ChunkState extends Staging {
  applied: boolean;
  merged: readonly MergedRange[];
}

export function createShardCore(options: ShardOptions): ShardCore {
  const state: ShardState = { phase: "detached", epoch: 0, step: 0, plan: undefined, slotsUsed: 0 };
  const chunks = new Map<number, ChunkState>();
  let coveredBy: Uint32Array = new Uint32Array(0);
  let losses: number[] = [];
  let chunksLeft = 0;
  const freeSlots: number[] = [];
  let slotsMade = 0;
  const slots: SlotPool = {
    take() {
      state.slotsUsed++;
      return freeSlots.pop() ?? slotsMade++;
    },
    give(slot) {
      state.slotsUsed--;
      freeSlots.push(slot);
    },
  };

  function clearStep(): void {
    for (const chunk of chunks.values()) for (const entry of chunk.entries) slots.give(entry.slot);
    for (const chunk of options.chunks) chunks.set(chunk, { applied: false, merged: [], entries: [] });
    chunksLeft = options.chunks.length;
    state.plan = undefined;
  }

  function restored(mark: CheckpointMark): ShardEffect[] {
    state.phase = "serving";
    state.step = mark.step;
    clearStep();
    const publish = options.chunks.map(
      (chunk): ShardEffect => ({ kind: "publish", chunk, epoch: state.epoch, version: mark.step }),
    );
    return [...publish, { kind: "report", report: { kind: "restored", epoch: state.epoch, mark } }];
  }

  function open(plan: StepPlan): ShardEffect[] {
    state.plan = plan;
    coveredBy = new Uint32Array(plan.microBatches);
    losses = new Array<number>(plan.microBatches).fill(Number.NaN);
    if (chunksLeft > 0) return [];
    // A slice of frozen weights only: nothing to wait for.
    const covered: ShardEffect = {
      kind: "report",
      report: { kind: "covered", epoch: plan.epoch, step: plan.step, lo: 0, hi: plan.microBatches },
    };
    return [covered, commit(plan)];
  }

  function commit(plan: StepPlan): ShardEffect {
    const ledger = groupChunks(options.chunks.map((chunk) => [chunk, chunks.get(chunk)!.merged]));
    const committed: ShardEffect = {
      kind: "report",
      report: {
        kind: "committed",
        epoch: plan.epoch,
        step: plan.step,
        ledger,
        losses: options.reportsLosses ? losses : [],
      },
    };
    state.step = plan.step + 1;
    clearStep();
    return committed;
  }

  return {
    state,

    handle(event) {
      switch (event.kind) {
        case "restore":
          state.epoch = event.epoch;
          state.phase = "loading";
          clearStep();
          return [{ kind: "load", epoch: event.epoch, step: event.step }];
        case "restored":
          // A load that an even newer epoch has overtaken says nothing any more.
          return event.epoch === state.epoch && state.phase === "loading" ? restored(event.mark) : [];
        case "restoreFailed":
          if (event.epoch !== state.epoch || state.phase !== "loading") return [];
          return [{ kind: "report", report: { ...event, kind: "restoreFailed" } }];
        case "plan": {
          const { plan } = event;
          const expected = state.phase === "serving" && plan.epoch === state.epoch && plan.step === state.step;
          return expected && state.plan === undefined ? open(plan) : [];
        }
        case "checkpoint": {
          const atBoundary = state.phase === "serving" && state.plan === undefined && event.mark.step === state.step;
          return event.epoch === state.epoch && atBoundary ? [{ kind: "snapshot", mark: event.mark }] : [];
        }
        case "checkpointed":
          return [{ kind: "report", report: { kind: "checkpointed", step: event.step, error: event.error } }];
        case "detached":
          state.phase = "detached";
          clearStep();
          return [];
      }
    },

    offer(offered) {
      const answer = (verdict: Verdict): { verdict: Verdict; effects: ShardEffect[] } => ({ verdict, effects: [] });
      const refuse = (rejection: CoreRejection, reason: string) => answer({ verdict: "refused", rejection, reason });
      if (offered.epoch < state.epoch) {
        return refuse("epoch", `epoch ${offered.epoch} is over, the run is in ${state.epoch}`);
      }
      if (offered.epoch > state.epoch || state.phase !== "serving") return answer({ verdict: "wait" });
      if (offered.step < state.step) return answer({ verdict: "dropped" });
      if (offered.step > state.step + 1) {
        return refuse("step", `step ${offered.step} is not open, step ${state.step} is`);
      }
      const { plan } = state;
      if (offered.step > state.step || plan === undefined) return answer({ verdict: "wait" });

      const leaves = plan.microBatches;
      const chunk = chunks.get(offered.chunk);
      if (chunk === undefined) return refuse("chunk", `chunk ${offered.chunk} is not of this shard`);
      if (!isNode(offered.lo, offered.hi, leaves)) {
        return refuse("node", `[${offered.lo}, ${offered.hi}) is no node of a step of ${leaves} micro-batches`);
      }
      if (offered.losses.length !== offered.hi - offered.lo) {
        return refuse("losses", `${offered.losses.length} losses came with ${offered.hi - offered.lo} micro-batches`);
      }
      if (chunk.applied || holds(chunk, offered)) return answer({ verdict: "dropped" });
      const lowest = lowestUncovered(chunk, leaves);
      const urgent = offered.lo <= lowest && lowest < offered.hi;
      if (state.slotsUsed >= options.slotsMax && !urgent) return answer({ verdict: "wait" });

      const fresh = uncoveredLeaves(chunk, offered);
      const { moves, entry } = stageNode(chunk, offered, offered.worker, leaves, slots);
      const leaf = offered.hi - offered.lo === 1 ? offered.lo : undefined;
      const effects = moves.map(
        (move): ShardEffect =>
          move.kind === "merge" ? { ...move, chunk: offered.chunk } : { ...move, chunk: offered.chunk, leaf },
      );
      if (options.reportsLosses && offered.chunk === options.chunks[0]) {
        for (let i = offered.lo; i < offered.hi; i++) losses[i] = offered.losses[i - offered.lo];
      }
      const covered: number[] = [];
      for (const i of fresh) {
        coveredBy[i]++;
        if (coveredBy[i] === options.chunks.length) covered.push(i);
      }
      if (entry.lo === 0 && entry.hi === leaves) {
        effects.push({ kind: "apply", chunk: offered.chunk, slot: entry.slot, plan });
        effects.push({ kind: "publish", chunk: offered.chunk, epoch: state.epoch, version: plan.step + 1 });
        slots.give(entry.slot);
        chunk.entries = [];
        chunk.applied = true;
        chunk.merged = entry.merged;
        if (chunksLeft === options.chunks.length && chunksLeft > 1) {
          effects.push({ kind: "report", report: { kind: "superseded", epoch: plan.epoch, step: plan.step } });
        }
        chunksLeft--;
      }
      for (const { lo, hi } of runs(covered)) {
        effects.push({ kind: "report", report: { kind: "covered", epoch: plan.epoch, step: plan.step, lo, hi } });
      }
      if (chunksLeft === 0) effects.push(commit(plan));
      return { verdict: { verdict: "accepted" }, effects };
    },
  };
}

/** Ascending numbers as runs [lo, hi). */
function runs(numbers: readonly number[]): { lo: number; hi: number }[] {
  const found: { lo: number; hi: number }[] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last.hi === number) last.hi = number + 1;
    else found.push({ lo: number, hi: number + 1 });
  }
  return found;
}

/** Neighbouring chunks with the same ranges from the same workers become one record. */
function groupChunks(merged: readonly (readonly [chunk: number, ranges: readonly MergedRange[]])[]): MergedChunks[] {
  const groups: { firstChunk: number; endChunk: number; ranges: readonly MergedRange[] }[] = [];
  const same = (a: readonly MergedRange[], b: readonly MergedRange[]): boolean =>
    a.length === b.length &&
    a.every((range, i) => range.lo === b[i].lo && range.hi === b[i].hi && range.worker === b[i].worker);
  for (const [chunk, ranges] of merged) {
    const last = groups.at(-1);
    if (last !== undefined && last.endChunk === chunk && same(last.ranges, ranges)) last.endChunk = chunk + 1;
    else groups.push({ firstChunk: chunk, endChunk: chunk + 1, ranges });
  }
  return groups;
}
