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

/** Measures steps, one at a time. */
export interface Measures {
  /** A step is opened: resets all values. */
  restart(): void;
  received(bytes: number): void;
  /**
   * Adds time spent adding sums that then wait for a sibling; `applied` adds time spent updating chunks, including
   * their last addition.
   */
  merged(ms: number): void;
  applied(ms: number): void;
  /** The norms of a chunk of parameters. */
  norms(chunk: number, norms: SumNorms): void;
  /** The values of the step so far. */
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
