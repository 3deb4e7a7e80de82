import type { StepPlan } from "../../../shared/steps/index.js";
import type { LeafWeights, ShardEffect } from "../core/index.js";
import type { ChunkProgram, Operand, Target } from "./program.js";
import type { SumsSource } from "./source.js";

/** What the core decides about the sums of a chunk. */
export type SliceMove = Extract<ShardEffect, { readonly kind: "stage" | "accumulate" | "merge" | "apply" }>;

/**
 * Which sums each slot stands for. The moves of a node become one program a chunk: a move is only remembered until the
 * chunk's last one is known, so that incoming sums go straight to where they are needed, and a sum that updates its
 * chunk at once is never written to memory.
 *
 * Buffers are not given back before the programs that use them have run, so within a node it makes no difference in
 * which order slots are used again.
 */
export interface Staged {
  /**
   * Calls `run` once, with the programs of different chunks.
   * @param moves of one node
   */
  perform<Result>(
    moves: readonly SliceMove[],
    incoming: (chunk: number) => SumsSource,
    run: (programs: readonly ChunkProgram[], plan: StepPlan | undefined) => Result,
  ): Result;
  /** Forgets everything that is staged. */
  clear(): void;
}

/** Buffers for the sums of a chunk. */
export interface SumBuffers {
  take(chunk: number): { readonly s1: number; readonly s2: number };
  give(chunk: number, s1: number): void;
  /** The buffer of an `own` source is staged now: it is no longer free for what comes next. */
  adopt(chunk: number, s1: number): void;
}

/** Operands of a chunk whose program is not decided yet, and the slot that their sum is to be in. */
interface Chain {
  readonly operands: Operand[];
  slot: number;
  /** Whether what came in may stay where it is. */
  lent: boolean;
}

export function createStaged(buffers: SumBuffers, isTrained: (chunk: number) => boolean): Staged {
  const slots = new Map<number, { readonly chunk: number; readonly operand: Operand }>();

  function put(slot: number, chunk: number, operand: Operand): void {
    forget(slot);
    slots.set(slot, { chunk, operand });
  }

  /** What the core has discarded is found when its slot is used again. */
  function forget(slot: number): void {
    const old = slots.get(slot);
    if (old?.operand.own) buffers.give(old.chunk, old.operand.s1);
    slots.delete(slot);
  }

  function takeOut(slot: number): Operand {
    const held = slots.get(slot);
    if (held === undefined) throw new Error(`slot ${slot} of the shard is empty`);
    slots.delete(slot);
    return held.operand;
  }

  function operandOf(chunk: number, source: SumsSource, leaf: LeafWeights | undefined): Operand {
    if (source.kind === "own") buffers.adopt(chunk, source.s1);
    return {
      s1: source.s1,
      s2: source.s2,
      file: source.kind === "file" ? source.file : undefined,
      // In the tail nothing is weighed or squared.
      leaf: isTrained(chunk) ? leaf : undefined,
      own: source.kind === "own",
    };
  }

  return {
    perform(moves, incoming, run) {
      const chains = new Map<number, Chain>();
      const programs: ChunkProgram[] = [];
      const spent: { readonly chunk: number; readonly operand: Operand }[] = [];
      let plan: StepPlan | undefined;

      const add = (chunk: number, operands: readonly Operand[], target: Target | undefined): void => {
        programs.push({ chunk, operands, target });
        for (const operand of operands) {
          if (operand.own && operand.s1 !== target?.s1) spent.push({ chunk, operand });
        }
      };
      /** Decides where the sum is kept. */
      const keep = (chunk: number, { operands, slot, lent }: Chain): void => {
        const [first] = operands;
        if (operands.length === 1) {
          if (first.own || lent) return put(slot, chunk, first);
          const target = { ...buffers.take(chunk), raw: first.leaf !== undefined };
          add(chunk, operands, target);
          return put(slot, chunk, { ...target, file: undefined, leaf: first.leaf, own: true });
        }
        // Of the two at the front one may be overwritten while it is read; a later one is still needed.
        const { s1, s2 } = operands.slice(0, 2).find(({ own }) => own) ?? buffers.take(chunk);
        add(chunk, operands, { s1, s2, raw: false });
        put(slot, chunk, { s1, s2, file: undefined, leaf: undefined, own: true });
      };
      /** The chain whose sum is to be in the slot, or a new one of what the slot holds. */
      const chainOf = (chunk: number, slot: number): Chain => {
        const known = chains.get(chunk);
        if (known !== undefined) return known;
        const chain = { operands: [takeOut(slot)], slot, lent: true };
        chains.set(chunk, chain);
        return chain;
      };

      for (const move of moves) {
        const { chunk } = move;
        switch (move.kind) {
          case "stage":
          case "accumulate": {
            const source = incoming(chunk);
            const operands = [operandOf(chunk, source, move.leaf)];
            if (move.kind === "accumulate") operands.push(takeOut(move.slot));
            chains.set(chunk, { operands, slot: move.slot, lent: source.kind === "own" || source.lend });
            break;
          }
          case "merge": {
            const chain = chainOf(chunk, move.from);
            chain.operands.push(takeOut(move.into));
            chain.slot = move.into;
            break;
          }
          case "apply": {
            add(chunk, chainOf(chunk, move.slot).operands, undefined);
            chains.delete(chunk);
            plan = move.plan;
          }
        }
      }
      for (const [chunk, chain] of chains) keep(chunk, chain);
      const result = run(programs, plan);
      for (const { chunk, operand } of spent) buffers.give(chunk, operand.s1);
      return result;
    },

    clear() {
      for (const slot of [...slots.keys()]) forget(slot);
    },
  };
}
