/**
 * Sums that a program keeps where it computes: on a GPU only the sum of many micro-batches' gradients is copied to the
 * host, instead of each gradient. A program's outputs are then parts of vectors; a slot holds a vector of sums S1 and
 * one of S2, computed by float32 operations, each rounded, in the order in which they are requested.
 */
import type { Numbers } from "./compiler.js";

/** What a micro-batch's gradient consists of, and what is done to it before it is added to any sum. */
export interface GradientForm {
  /** The index of the output that is the loss. */
  readonly loss: number;
  readonly vectors: readonly VectorForm[];
  /** The largest norm of all trained vectors together: a larger gradient is scaled down to it. Null: no clipping. */
  readonly clipNorm: number | null;
  /** Whether trained vectors are rounded to bfloat16 after clipping. */
  readonly bfloat16: boolean;
}

export interface VectorForm {
  /** Its pieces, in order: elements [from, from + length) of an output. */
  readonly pieces: readonly { readonly output: number; readonly from: number; readonly length: number }[];
  /**
   * Whether it is a gradient, which is clipped, multiplied by coefficients and squared; any other vector is only added
   * up.
   */
  readonly trained: boolean;
}

/** What a leaf's gradient is multiplied by in S1 and in S2; undefined: 1 in both. */
export type CoefficientPair = readonly [w1: number, w2: number] | undefined;

/**
 * - `keep`: the slot's S1 becomes the raw gradient g.
 * - `square`: the slot's S1, a raw gradient g, is replaced by its sums: S1 = w1·g, S2 = w2·g².
 * - `addGradient`: w1·g and w2·g² of the gradient are added to the slot's sums.
 * - `add`: the sums of `slot` are added to those of `into`; `slot` is free afterwards.
 */
export type SumsOperation =
  | { readonly kind: "keep"; readonly slot: number }
  | { readonly kind: "square" | "addGradient"; readonly slot: number; readonly coefficients: CoefficientPair }
  | { readonly kind: "add"; readonly into: number; readonly slot: number };

/** Arrays on the host: one for each of the form's vectors, of the same length. */
export type HostVectors = readonly Float32Array[];

export interface ProgramSums {
  /** Computes as `run` does; the outputs become the gradient, which is kept until the next call. */
  compute(inputs: readonly Numbers[]): { loss: number; finite: boolean };
  /** Performs the operations in this order. */
  perform(operations: readonly SumsOperation[]): void;
  readGradient(to: HostVectors): void;
  /**
   * Copies a slot's sums to the host.
   * @param s2 arrays for the trained vectors only; undefined: the slot holds a raw gradient, which is not checked.
   * @returns whether all of it is finite.
   */
  read(slot: number, s1: HostVectors, s2: HostVectors | undefined): boolean;
  /**
   * The smallest leaf coefficient, other than 0, for which the bits are the same here and on the host in any order of
   * operations; 0: there is no limit.
   */
  readonly smallestCoefficient: number;
  /**
   * The same in another thread, where that is possible. Until the promise is settled the program can do nothing else.
   */
  readonly later?: {
    compute(...inputs: Parameters<ProgramSums["compute"]>): Promise<ReturnType<ProgramSums["compute"]>>;
    read(...of: Parameters<ProgramSums["read"]>): Promise<boolean>;
  };
}
