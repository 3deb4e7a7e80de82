/** Predicts the lease of a worker's next step, whose first samples can be decoded before it arrives. */
import type { StepLease } from "./core/index.js";

/** To be called with every lease that was computed. @returns the lease that is expected next, if any */
export type NextShare = (lease: StepLease) => StepLease | undefined;

/**
 * If the shares of the last two steps were equal, the next lease is expected to be the same share of the next step.
 * @param microBatchesTotal the micro-batches of the whole run, after which nothing is expected
 */
export function createNextShare(microBatchesTotal: number): NextShare {
  let last: StepLease | undefined;
  return (lease) => {
    const { lo, hi, firstMicroBatch, microBatches } = lease;
    const isNext = last !== undefined && last.firstMicroBatch + last.microBatches === firstMicroBatch;
    const isAlike = isNext && last?.lo === lo && last.hi === hi;
    last = lease;
    const next = { ...lease, firstMicroBatch: firstMicroBatch + microBatches };
    return isAlike && next.firstMicroBatch + hi <= microBatchesTotal ? next : undefined;
  };
}
