import type { CoordinatorEffect, CoordinatorEvent, StageKind } from "./core/index.js";

/**
 * Counts the coordinator's events and decisions for metrics, since the process started. It only observes: the core does
 * not know about it.
 */
export interface Tally {
  readonly leases: Readonly<Record<StageKind, number>>;
  /** Micro-batches, or evaluation batches, that were leased again because an earlier lease was lost, late or failed. */
  readonly leasedAgain: Readonly<Record<StageKind, number>>;
  /** Leases that workers reported as failed. */
  readonly failures: Readonly<Record<"non_finite" | "other", number>>;
  readonly joined: number;
  readonly lost: number;
  /** Raw bytes of samples sent to workers. */
  readonly sampleBytes: number;
  event(event: CoordinatorEvent): void;
  effect(effect: CoordinatorEffect): void;
  samplesSent(bytes: number): void;
}

export function createTally(): Tally {
  const leases = { step: 0, evaluation: 0 };
  const leasedAgain = { step: 0, evaluation: 0 };
  const failures = { non_finite: 0, other: 0 };
  let [joined, lost, sampleBytes] = [0, 0, 0];
  /** The open stage, and which of its items have been leased. */
  let stage = "";
  const leased = new Set<number>();

  function lease(kind: StageKind, key: string, { lo, hi }: { readonly lo: number; readonly hi: number }): void {
    if (key !== stage) leased.clear();
    stage = key;
    leases[kind]++;
    for (let item = lo; item < hi; item++) {
      if (leased.has(item)) leasedAgain[kind]++;
      leased.add(item);
    }
  }

  return {
    leases,
    leasedAgain,
    failures,
    get joined() {
      return joined;
    },
    get lost() {
      return lost;
    },
    get sampleBytes() {
      return sampleBytes;
    },
    event(event) {
      if (event.kind === "leaseFailed") failures[event.nonFinite ? "non_finite" : "other"]++;
      if (event.kind === "evaluationFailed") failures.other++;
      if (event.kind === "workerAttached") joined++;
      if (event.kind === "workerLost") lost++;
    },
    effect(effect) {
      if (effect.kind === "lease") {
        lease("step", `step ${effect.plan.term} ${effect.plan.step}`, effect.lease);
      } else if (effect.kind === "evaluate") {
        lease("evaluation", `evaluation ${effect.term} ${effect.version}`, effect.lease);
      }
    },
    samplesSent(bytes) {
      sampleBytes += bytes;
    },
  };
}
