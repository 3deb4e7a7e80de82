import type { ChunkProgram, Operand, ProgramTarget } from "./program.js";
import type { SumBuffers, SumSlots } from "./slots.js";

/**
 * Builds the programs of one node from its moves: for each chunk, a chain of operands that grows until the use of their
 * sum is known.
 */
export interface NodePrograms {
  /** Starts the chunk's chain. @param lent whether the incoming sums may stay where they are */
  start(chunk: number, operands: Operand[], slot: number, lent: boolean): void;
  /**
   * Adds the contents of slot `into` to the chunk's chain, or to the contents of `from`. The sum is stored in `into`.
   */
  merge(chunk: number, from: number, into: number): void;
  /** Updates the chunk with the sum of its chain, or with the contents of the slot. */
  update(chunk: number, slot: number): void;
  /** Ends the node: the sums of the remaining chains are kept in their slots. */
  finish(): readonly ChunkProgram[];
  /** Gives back the buffers that are no longer needed once the programs have run. */
  giveBack(): void;
}

/** Operands of a chunk whose program is not decided yet, and the slot for their sum. */
interface Chain {
  readonly operands: Operand[];
  slot: number;
  readonly lent: boolean;
}

export function createNodePrograms(slots: SumSlots, buffers: SumBuffers): NodePrograms {
  const chains = new Map<number, Chain>();
  const programs: ChunkProgram[] = [];
  const spent: { readonly chunk: number; readonly operand: Operand }[] = [];

  function add(chunk: number, operands: readonly Operand[], target: ProgramTarget | undefined): void {
    programs.push({ chunk, operands, target });
    for (const operand of operands) {
      if (operand.own && operand.s1 !== target?.s1) spent.push({ chunk, operand });
    }
  }

  /** Decides where the sum is kept. */
  function keep(chunk: number, { operands, slot, lent }: Chain): void {
    const [first] = operands;
    if (operands.length === 1) {
      if (first.own || lent) return slots.put(slot, chunk, first);
      const target = { ...buffers.take(chunk), raw: first.leaf !== undefined };
      add(chunk, operands, target);
      return slots.put(slot, chunk, { ...target, file: undefined, leaf: first.leaf, own: true });
    }
    // One of the first two may be overwritten while it is read; a later one is still needed.
    const { s1, s2 } = operands.slice(0, 2).find(({ own }) => own) ?? buffers.take(chunk);
    add(chunk, operands, { s1, s2, raw: false });
    slots.put(slot, chunk, { s1, s2, file: undefined, leaf: undefined, own: true });
  }

  /** The chunk's chain, or a new one with the contents of the slot. */
  function chainOf(chunk: number, slot: number): Chain {
    const known = chains.get(chunk);
    if (known !== undefined) return known;
    const chain = { operands: [slots.takeOut(slot)], slot, lent: true };
    chains.set(chunk, chain);
    return chain;
  }

  return {
    start: (chunk, operands, slot, lent) => void chains.set(chunk, { operands, slot, lent }),

    merge(chunk, from, into) {
      const chain = chainOf(chunk, from);
      chain.operands.push(slots.takeOut(into));
      chain.slot = into;
    },

    update(chunk, slot) {
      add(chunk, chainOf(chunk, slot).operands, undefined);
      chains.delete(chunk);
    },

    finish() {
      for (const [chunk, chain] of chains) keep(chunk, chain);
      return programs;
    },

    giveBack() {
      for (const { chunk, operand } of spent) buffers.give(chunk, operand.s1);
    },
  };
}
