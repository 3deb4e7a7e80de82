import { createHash } from "node:crypto";

/** Everything that a run's future depends on, in the layout's order; how it was cut into slices is not part of it. */
export interface RunState {
  /** The whole flat vector as float32, little-endian: parameters, tail, frozen. In slices of any length, in order. */
  readonly theta: Iterable<Uint8Array>;
  /** The parameters' first moments, likewise. */
  readonly m: Iterable<Uint8Array>;
  /** The parameters' second moments, likewise. */
  readonly v: Iterable<Uint8Array>;
  /** Steps taken. */
  readonly step: number;
  /** Micro-batches consumed: the number n of the next one. */
  readonly microBatches: number;
  /** The bias corrections after the last step. */
  readonly c1: number;
  readonly c2: number;
}

/**
 * Names a run's state by its bits: the SHA-256, in hexadecimal, of θ, m and v, then step, micro-batches, c1 and c2
 * as float64, little-endian. Two runs with the same hash continue in the same way. Terms, shards and workers do not
 * affect it.
 */
export function stateHash({ theta, m, v, step, microBatches, c1, c2 }: RunState): string {
  const hash = createHash("sha256");
  for (const slices of [theta, m, v]) {
    for (const slice of slices) hash.update(slice);
  }
  const numbers = new DataView(new ArrayBuffer(32));
  for (const [index, value] of [step, microBatches, c1, c2].entries()) numbers.setFloat64(8 * index, value, true);
  return hash.update(numbers).digest("hex");
}
