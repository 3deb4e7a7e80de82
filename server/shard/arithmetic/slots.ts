import type { Operand } from "./program.js";

/** Buffers for the sums of a chunk. */
export interface SumBuffers {
  take(chunk: number): { readonly s1: number; readonly s2: number };
  give(chunk: number, s1: number): void;
  /** The buffer of an `own` source is staged now: it is no longer free for the next sums. */
  adopt(chunk: number, s1: number): void;
}

/** The sums that each slot of the core stands for. */
export interface SumSlots {
  /** Replaces the slot's contents, whose buffer is given back: the core has discarded them. */
  put(slot: number, chunk: number, operand: Operand): void;
  /** Empties the slot. Its buffer is not given back: that is up to the caller. */
  takeOut(slot: number): Operand;
  /** Empties all slots and gives their buffers back. */
  clear(): void;
}

export function createSlots(buffers: Pick<SumBuffers, "give">): SumSlots {
  const slots = new Map<number, { readonly chunk: number; readonly operand: Operand }>();

  function forget(slot: number): void {
    const old = slots.get(slot);
    if (old?.operand.own) buffers.give(old.chunk, old.operand.s1);
    slots.delete(slot);
  }

  return {
    put(slot, chunk, operand) {
      forget(slot);
      slots.set(slot, { chunk, operand });
    },

    takeOut(slot) {
      const held = slots.get(slot);
      if (held === undefined) throw new Error(`slot ${slot} of the shard is empty`);
      slots.delete(slot);
      return held.operand;
    },

    clear() {
      for (const slot of [...slots.keys()]) forget(slot);
    },
  };
}
