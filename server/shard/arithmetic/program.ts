import type { LeafCoefficientPair } from "../core/index.js";

/**
 * Everything that one thread does to one chunk at once: the operands are added in tree order, and then the sum is
 * either kept, or used to update the chunk.
 */
export interface ChunkProgram {
  readonly chunk: number;
  /** At least one. They are added from left to right: first the first two, in either order. */
  readonly operands: readonly Operand[];
  /** Where the sum is kept; undefined if the chunk is updated with it. */
  readonly target: ProgramTarget | undefined;
}

/** The sums of a chunk and where they are. */
export interface Operand {
  /** Addresses in the segment's memory, or offsets in the file. */
  readonly s1: number;
  readonly s2: number;
  readonly file: number | undefined;
  /** The coefficients of a leaf that is still a raw gradient: it has no S2, and counts as w1·g and w2·(g·g). */
  readonly leaf: LeafCoefficientPair | undefined;
  /** Whether this is a buffer of the slice, which nothing else writes. */
  readonly own: boolean;
}

export interface ProgramTarget {
  readonly s1: number;
  readonly s2: number;
  /** Keeps a raw gradient as it is, which must be the only operand. */
  readonly raw: boolean;
}

/**
 * In float64, which no square and no sum of float32 values overflows: they are finite if and only if all the sums are.
 */
export interface SumNorms {
  /** |S1|² */
  readonly squaredNorm1: number;
  /** Σ S2; 0 in the tail, which has none. */
  readonly sum2: number;
}
