import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CoordinatorEffect, GrantedLease } from "./core/index.js";
import { createTally } from "./tally.js";

const lease = (lo: number, hi: number): GrantedLease => ({
  lease: 1,
  worker: "w",
  lo,
  hi,
  grantedAtMs: 0,
  overdueAtMs: 1,
});
const ofStep = (step: number, term: number, lo: number, hi: number): CoordinatorEffect => ({
  kind: "lease",
  lease: lease(lo, hi),
  plan: { term, step } as Extract<CoordinatorEffect, { kind: "lease" }>["plan"],
});

describe("createTally()", () => {
  it("counts what is leased once more within a step, and nothing else", () => {
    const tally = createTally();
    for (const effect of [ofStep(3, 1, 0, 4), ofStep(3, 1, 4, 6), ofStep(3, 1, 2, 5)]) tally.effect(effect);
    assert.equal(tally.leases.step, 3);
    assert.equal(tally.leasedAgain.step, 3);
    tally.effect(ofStep(4, 1, 0, 6));
    assert.equal(tally.leasedAgain.step, 3, "the next step's");
    tally.effect(ofStep(4, 2, 0, 6));
    assert.equal(tally.leasedAgain.step, 3, "the same step after a rollback is computed again, not leased again");
    const evaluate: CoordinatorEffect = { kind: "evaluate", lease: lease(0, 2), term: 2, version: 4 };
    tally.effect(evaluate);
    tally.effect(evaluate);
    assert.deepEqual([tally.leases.evaluation, tally.leasedAgain.evaluation], [2, 2]);
  });

  it("counts failures by kind, and workers that come and go", () => {
    const tally = createTally();
    const failed = { kind: "leaseFailed", worker: "w", lease: 1, microBatch: 3, reason: "" } as const;
    tally.event({ ...failed, nonFinite: true });
    tally.event({ ...failed, nonFinite: false });
    tally.event({ kind: "evaluationFailed", worker: "w", version: 1, reason: "" });
    tally.event({ kind: "workerAttached", worker: "w" });
    tally.event({ kind: "workerAttached", worker: "x" });
    tally.event({ kind: "workerLost", worker: "w", reason: "" });
    assert.deepEqual(tally.failures, { non_finite: 1, other: 2 });
    assert.deepEqual([tally.joined, tally.lost], [2, 1]);
  });
});
