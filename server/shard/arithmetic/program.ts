import type { LeafCoefficientPair } from "../core/index.js";

/**
 * All that is done to one chunk in one go, by one thread: its operands are added in tree order, and then either the
 * sum is kept, or the chunk is updated with it.
 */
export interface ChunkProgram {
  readonly chunk: number;
  /** At least one. They are added from left to right: first the two at the front, in whichever order. */
  readonly operands: readonly Operand[];
  /** Where the sum is kept; undefined: the chunk is updated with it. */
  readonly target: ProgramTarget | undefined;
}

/** Sums of a chunk, wherever they are. */
export interface Operand {
  /** Addresses in the segment's memory, or offsets in the file. */
  readonly s1: number;
  readonly s2: number;
  readonly file: number | undefined;
  /** Of a leaf that is still a raw gradient: it has no S2, and counts as w1·g and w2·(g·g). */
  readonly leaf: LeafCoefficientPair | undefined;
  /** Whether this is a buffer of the slice, which nobody else writes. */
  readonly own: boolean;
}

export interface ProgramTarget {
  readonly s1: number;
  readonly s2: number;
  /** Keeps a raw gradient as it is, which must be the only operand. */
  readonly raw: boolean;
}

/** In float64, which no square and no sum of float32 overflows: they are finite just if all the sums are. */
export interface SumNorms {
  /** |S1|² */
  readonly squaredNorm1: number;
  /** Σ S2; 0 in the tail, which has none. */
  readonly sum2: number;
}
