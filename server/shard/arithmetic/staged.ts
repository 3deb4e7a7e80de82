import type { StepPlan } from "../../../shared/steps/index.js";
import type { LeafCoefficientPair, ShardEffect } from "../core/index.js";
import { createNodePrograms } from "./node-programs.js";
import type { ChunkProgram, Operand } from "./program.js";
import { createSlots, type SumBuffers } from "./slots.js";
import type { SumsSource } from "./source.js";

/** What the core decides about the sums of a chunk. */
export type SliceMove = Extract<ShardEffect, { readonly kind: "stage" | "accumulate" | "merge" | "apply" }>;

/**
 * The sums in each slot. The moves of a node become one program per chunk: moves are collected until the chunk's last
 * one is known, so that incoming sums go straight to where they are needed, and a sum that updates its chunk at once is
 * never written to memory.
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
  /** Discards everything that is staged. */
  clear(): void;
}

export function createStaged(buffers: SumBuffers, isTrained: (chunk: number) => boolean): Staged {
  const slots = createSlots(buffers);

  function operandOf(chunk: number, source: SumsSource, leaf: LeafCoefficientPair | undefined): Operand {
    if (source.kind === "own") buffers.adopt(chunk, source.s1);
    return {
      s1: source.s1,
      s2: source.s2,
      file: source.kind === "file" ? source.file : undefined,
      // In the tail nothing is scaled or squared.
      leaf: isTrained(chunk) ? leaf : undefined,
      own: source.kind === "own",
    };
  }

  return {
    perform(moves, incoming, run) {
      const node = createNodePrograms(slots, buffers);
      let plan: StepPlan | undefined;
      for (const move of moves) {
        const { chunk } = move;
        switch (move.kind) {
          case "stage":
          case "accumulate": {
            const source = incoming(chunk);
            const operands = [operandOf(chunk, source, move.leaf)];
            if (move.kind === "accumulate") operands.push(slots.takeOut(move.slot));
            node.start(chunk, operands, move.slot, source.kind === "own" || source.lend);
            break;
          }
          case "merge":
            node.merge(chunk, move.from, move.into);
            break;
          case "apply":
            node.update(chunk, move.slot);
            plan = move.plan;
        }
      }
      const result = run(node.finish(), plan);
      node.giveBack();
      return result;
    },

    clear: slots.clear,
  };
}
