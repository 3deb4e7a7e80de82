/**
 * A run whose workers come and go, and κ with them, against the same run with one worker. Curves over samples coincide
 * if they are no further apart than twice what another order of the samples makes of a run that nobody calls different.
 */
import { type Curve, gapBetween } from "../invariance/gap.js";

/** The bound, fixed before any run: gap ≤ so many times the floor. */
export const FLOORS_MAX = 2;

/** One arm's elastic run, and what it is compared with, all evaluated after the same numbers of samples. */
export interface ElasticResult {
  readonly arm: string;
  readonly elastic: Curve;
  /** One worker: κ = 1 throughout. */
  readonly alone: Curve;
  /** The same with the samples in another order. */
  readonly otherOrder: Curve;
  /** κ from the sample on. */
  readonly kappas: readonly { readonly samples: number; readonly kappa: number; readonly reason: string }[];
  readonly stateHash: string;
  /** Of its record replayed in one process. */
  readonly replayedHash: string;
}

export interface ElasticVerdict {
  readonly arm: string;
  /** max |L − L_alone| / L_alone over all evaluations. */
  readonly gap: number;
  /** The same of the other order: the floor. */
  readonly floor: number;
  /** (L − L_alone) / L_alone where its size is greatest: above 0 the elastic run trains slower. */
  readonly signed: number;
  readonly coincides: boolean;
  readonly sameBits: boolean;
}

export function judgeElastic({
  arm,
  elastic,
  alone,
  otherOrder,
  stateHash,
  replayedHash,
}: ElasticResult): ElasticVerdict {
  const gap = gapBetween(elastic, alone);
  const floor = gapBetween(otherOrder, alone)?.relative ?? Number.NaN;
  return {
    arm,
    gap: gap?.relative ?? Number.POSITIVE_INFINITY,
    floor,
    signed: gap?.signed ?? Number.NaN,
    coincides: gap !== undefined && gap.relative <= FLOORS_MAX * floor,
    sameBits: stateHash === replayedHash,
  };
}
