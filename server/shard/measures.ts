import type { SumNorms } from "./arithmetic/program.js";

/** What only a shard's shell can measure of a committed step. */
export interface CommitMeasures {
  /** |S1|² and Σ S2, one per chunk of parameters, in order. */
  readonly squaredNorms1: readonly number[];
  readonly sums2: readonly number[];
  readonly mergeMs: number;
  readonly applyMs: number;
  readonly bytesReceived: number;
}

/** Measures one step after the other. */
export interface Measures {
  /** A step is opened: starts from zero. */
  restart(): void;
  received(bytes: number): void;
  /** Time for adding sums that have siblings to wait for, and time for updating chunks, their last addition included. */
  merged(ms: number): void;
  applied(ms: number): void;
  /** The norms of a chunk of parameters. */
  norms(chunk: number, norms: SumNorms): void;
  /** Of the step so far. */
  taken(): CommitMeasures;
}

export function createMeasures(): Measures {
  let norms = new Map<number, SumNorms>();
  let [mergeMs, applyMs, bytesReceived] = [0, 0, 0];
  return {
    restart() {
      norms = new Map();
      [mergeMs, applyMs, bytesReceived] = [0, 0, 0];
    },
    received(bytes) {
      bytesReceived += bytes;
    },
    merged(ms) {
      mergeMs += ms;
    },
    applied(ms) {
      applyMs += ms;
    },
    norms(chunk, ofChunk) {
      norms.set(chunk, ofChunk);
    },
    taken() {
      const inOrder = [...norms].sort(([a], [b]) => a - b).map(([, ofChunk]) => ofChunk);
      return {
        squaredNorms1: inOrder.map(({ squaredNorm1 }) => squaredNorm1),
        sums2: inOrder.map(({ sum2 }) => sum2),
        mergeMs,
        applyMs,
        bytesReceived,
      };
    },
  };
}
