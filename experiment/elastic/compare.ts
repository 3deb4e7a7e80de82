/**
 * A run whose workers come and go, and κ with them, against the same run with one worker. Curves over samples coincide
 * if they are no further apart than twice what another order of the samples makes, which nobody calls a different run.
 */
import { gapBetween, type LossCurve } from "../invariance/gap.js";

/** The bound on gap / floor, fixed before any run. */
export const FLOORS_MAX = 2;

/** One arm's elastic run, and what it is compared with, all evaluated after the same numbers of samples. */
export interface ElasticResult {
  readonly arm: string;
  readonly elastic: LossCurve;
  /** The run with one worker: κ = 1 throughout. */
  readonly singleWorker: LossCurve;
  /** The run with one worker and the samples in another order. */
  readonly otherOrder: LossCurve;
  /** κ, and the sample from which it holds. */
  readonly kappas: readonly { readonly samples: number; readonly kappa: number; readonly reason: string }[];
  readonly stateHash: string;
  /** The `stateHash` of its record, replayed in one process. */
  readonly replayedHash: string;
}

export interface ElasticVerdict {
  readonly arm: string;
  /** max |L − L_alone| / L_alone over all evaluations. */
  readonly gap: number;
  /** The same for the other order: the floor. */
  readonly floor: number;
  /** (L − L_alone) / L_alone where its size is greatest: above 0 the elastic run trains slower. */
  readonly signed: number;
  readonly coincides: boolean;
  readonly sameBits: boolean;
}

export function judgeElastic({
  arm,
  elastic,
  singleWorker,
  otherOrder,
  stateHash,
  replayedHash,
}: ElasticResult): ElasticVerdict {
  const gap = gapBetween(elastic, singleWorker);
  const floor = gapBetween(otherOrder, singleWorker)?.relative ?? Number.NaN;
  return {
    arm,
    gap: gap?.relative ?? Number.POSITIVE_INFINITY,
    floor,
    signed: gap?.signed ?? Number.NaN,
    coincides: gap !== undefined && gap.relative <= FLOORS_MAX * floor,
    sameBits: stateHash === replayedHash,
  };
}
