/**
 * Which samples micro-batch n holds: only the run's seed and n decide it, so that any worker, at any time, on any
 * cluster computes the same micro-batch. Each epoch of the data has its own permutation; the samples left over after
 * ⌊N/b⌋ micro-batches are dropped after the shuffle, so each epoch drops different ones.
 */
import { createRandom, seedOf, shuffle } from "../shared/random.js";

export interface SampleOrder {
  /** ⌊N/b⌋ */
  readonly microBatchesPerEpoch: number;
  /** The b sample numbers, each in [0, N), of micro-batch `n` ≥ 0, in the order in which they are fed. */
  samplesOf(n: number): Uint32Array;
}

export interface SampleOrderOptions {
  readonly seed: number;
  /** b, at most `samples`. */
  readonly microBatchSize: number;
  /** N, the size of the training set; not the length of the run. */
  readonly samples: number;
}

/** Two permutations are kept: leases near the border of two epochs need both. */
const EPOCHS_KEPT = 2;

export function createSampleOrder({ seed, microBatchSize, samples }: SampleOrderOptions): SampleOrder {
  const microBatchesPerEpoch = Math.floor(samples / microBatchSize);
  if (!(microBatchesPerEpoch >= 1)) throw new RangeError(`micro-batches of ${microBatchSize} from ${samples} samples`);
  const permutations = new Map<number, Uint32Array>();

  function permutationOf(epoch: number): Uint32Array {
    const kept = permutations.get(epoch);
    if (kept !== undefined) return kept;
    const permutation = shuffle(
      Uint32Array.from({ length: samples }, (_, i) => i),
      createRandom(seedOf(seed, "order", epoch)),
    );
    for (const oldest of permutations.keys()) {
      if (permutations.size < EPOCHS_KEPT) break;
      permutations.delete(oldest);
    }
    permutations.set(epoch, permutation);
    return permutation;
  }

  return {
    microBatchesPerEpoch,
    samplesOf(n) {
      if (!(Number.isSafeInteger(n) && n >= 0)) throw new RangeError(`micro-batch ${n}`);
      const start = (n % microBatchesPerEpoch) * microBatchSize;
      return permutationOf(Math.floor(n / microBatchesPerEpoch)).slice(start, start + microBatchSize);
    },
  };
}
