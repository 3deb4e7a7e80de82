/**
 * Sums that a program keeps where it computes: on a GPU, instead of each micro-batch's gradient, only what many of them
 * add up to is copied to the host. A program's outputs are then parts of vectors; a slot holds a vector of sums S1 and
 * one of S2, made by float32 operations, each rounded, in the order in which they are asked for.
 */
import type { Numbers } from "./compiler.js";

/** What a micro-batch's gradient is made of, and what is done to it before it enters any sum. */
export interface GradientForm {
  /** The output that is the loss. */
  readonly loss: number;
  readonly vectors: readonly VectorForm[];
  /** The norm that all trained vectors together are scaled down to. */
  readonly clipNorm: number | null;
  /** Whether trained vectors are rounded to bfloat16, once they are clipped. */
  readonly bfloat16: boolean;
}

export interface VectorForm {
  /** What it is made of, one after the other: elements [from, from + length) of an output. */
  readonly pieces: readonly { readonly output: number; readonly from: number; readonly length: number }[];
  /** Whether it is a gradient, which is clipped, weighed and squared; otherwise it is only added up. */
  readonly trained: boolean;
}

/** What a gradient weighs in S1 and in S2; undefined: 1. */
export type Weights = readonly [w1: number, w2: number] | undefined;

/**
 * - `keep`: the gradient becomes the slot's S1, raw.
 * - `square`: the slot's S1, which is a raw gradient, becomes its sums: S1 = w1·g, S2 = w2·g².
 * - `addGradient`: w1·g and w2·g² of the gradient are added to the slot's sums.
 * - `add`: the sums of `slot` are added to those of `into`; `slot` is free afterwards.
 */
export type SumsOperation =
  | { readonly kind: "keep"; readonly slot: number }
  | { readonly kind: "square" | "addGradient"; readonly slot: number; readonly weights: Weights }
  | { readonly kind: "add"; readonly into: number; readonly slot: number };

/** A vector on the host: of each of the form's vectors, its elements. */
export type HostVectors = readonly Float32Array[];

export interface ProgramSums {
  /** Computes as `run` does; the outputs become the gradient, which stays until the next one. */
  compute(inputs: readonly Numbers[]): { loss: number; finite: boolean };
  /** In this order. */
  perform(operations: readonly SumsOperation[]): void;
  readGradient(to: HostVectors): void;
  /** @param s2 of the trained vectors; undefined: the slot holds a raw gradient. @returns whether all is finite. */
  read(slot: number, s1: HostVectors, s2: HostVectors | undefined): boolean;
  /**
   * What a leaf may weigh, besides 0, so that any order of operations makes the same bits here and on the host; 0: anything.
   */
  readonly smallestWeight: number;
  /** The same in another thread, where that is possible; until it is settled nothing else may be asked of the program. */
  readonly later?: {
    compute(...inputs: Parameters<ProgramSums["compute"]>): Promise<ReturnType<ProgramSums["compute"]>>;
    read(...of: Parameters<ProgramSums["read"]>): Promise<boolean>;
  };
}
