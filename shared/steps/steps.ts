import type { Coefficients, SmoothedNoise, stepCoefficients } from "../optimizer/index.js";

/** What coordinator and shards exchange about a step, as both cores see it. */

/** A step's arithmetic, with the rates that people see. */
export type StepCoefficients = ReturnType<typeof stepCoefficients>;

/** One step as the coordinator announces it to every shard. */
export interface StepPlan {
  readonly term: number;
  readonly step: number;
  /** The number n of the step's first micro-batch. */
  readonly firstMicroBatch: number;
  /** κ of this step. */
  readonly microBatches: number;
  readonly coefficients: Coefficients;
  /** The coefficients of the κ leaves in S1 and in S2; undefined if all are 1. */
  readonly leafCoefficients1?: Float32Array;
  readonly leafCoefficients2?: Float32Array;
}

/** The content of a checkpoint besides the arrays. */
export interface CheckpointMark {
  readonly step: number;
  /** Micro-batches consumed by the steps before `step`. */
  readonly microBatches: number;
  readonly c1: number;
  readonly c2: number;
  /** The smoothed gradient noise, so that what depends on it resumes unchanged; undefined before there was any. */
  readonly noise?: SmoothedNoise;
}

/** Leaves [lo, hi) merged as pushed by `worker`. */
export interface MergedRange {
  readonly lo: number;
  readonly hi: number;
  readonly worker: string;
}

/** Chunks [firstChunk, endChunk) of a commit whose leaves came in the same way. */
export interface MergedChunks {
  readonly firstChunk: number;
  readonly endChunk: number;
  readonly ranges: readonly MergedRange[];
}
