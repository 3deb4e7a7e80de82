/**
 * The work that a worker has been given and not begun. A lease is computed with exactly the weights it names: it
 * waits while they are on the way, and is void once newer ones are there, because then its step was committed, or
 * rolled back, without it.
 */
import { IsobatchError } from "../shared/errors.js";
import type { EvaluationLease__Output, MicroBatchLease__Output } from "../shared/wire/index.js";
import type { WeightsVersion } from "./weight-versions.js";

export type Work =
  | { readonly kind: "step"; readonly lease: MicroBatchLease__Output }
  | { readonly kind: "evaluation"; readonly lease: EvaluationLease__Output };

/** The weights that the work is to be done with. */
export function weightsOf(work: Work): WeightsVersion {
  const { lease, kind } = work;
  return { epoch: lease.epoch, version: kind === "step" ? lease.step : lease.version };
}

/** Whether `weights` come after those that the work names: then nobody waits for it any more. */
export function isVoid(work: Work, weights: WeightsVersion): boolean {
  const wanted = weightsOf(work);
  return wanted.epoch < weights.epoch || (wanted.epoch === weights.epoch && wanted.version < weights.version);
}

export interface WorkQueue {
  add(work: Work): void;
  /** Takes out the first work for exactly these weights, and drops what is void. */
  take(held: WeightsVersion): Work | undefined;
  /** Drops the work of older epochs. */
  openEpoch(epoch: number): void;
  clear(): void;
}

/** More leases than a worker is ever given at a time. */
const WORK_MAX = 1_024;

export function createWorkQueue(): WorkQueue {
  let queue: Work[] = [];
  return {
    add(work) {
      if (queue.length >= WORK_MAX) {
        throw new IsobatchError(
          "damaged",
          `The server gives this worker more than ${WORK_MAX} leases at once; the worker ends.`,
        );
      }
      queue.push(work);
    },
    take(held) {
      queue = queue.filter((work) => !isVoid(work, held));
      const index = queue.findIndex((work) => {
        const { epoch, version } = weightsOf(work);
        return epoch === held.epoch && version === held.version;
      });
      return index === -1 ? undefined : queue.splice(index, 1)[0];
    },
    openEpoch(epoch) {
      queue = queue.filter((work) => work.lease.epoch >= epoch);
    },
    clear() {
      queue = [];
    },
  };
}
