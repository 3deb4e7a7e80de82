import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StepPlan } from "../../../shared/steps/index.js";
import { createShardCore } from "./core.js";
import type { OfferedChunk, ShardEffect } from "./messages.js";

const plan = (step: number, microBatches = 4): StepPlan => ({
  epoch: 1,
  step,
  firstMicroBatch: step * microBatches,
  microBatches,
  coefficients: {} as StepPlan["coefficients"],
});

/** A shard of chunks 0 and 1, restored at version 0, with or without its plan. */
function shard({ open = true, slotsMax = 100 } = {}) {
  const core = createShardCore({ chunks: [0, 1], reportsLosses: true, slotsMax });
  core.handle({ kind: "restore", epoch: 1, step: 0 });
  core.handle({ kind: "restored", epoch: 1, mark: { step: 0, microBatches: 0, c1: 0, c2: 0 } });
  if (open) core.handle({ kind: "plan", plan: plan(0) });
  const offer = (lo: number, hi: number, more: Partial<OfferedChunk> = {}) =>
    core.offer({
      worker: "a",
      epoch: 1,
      step: 0,
      lo,
      hi,
      chunk: 0,
      losses: Array.from({ length: hi - lo }, (_, i) => lo + i),
      ...more,
    });
  return { core, offer };
}

const kinds = (effects: ShardEffect[]): string[] =>
  effects.map((effect) => (effect.kind === "report" ? effect.report.kind : effect.kind));

describe("a shard's judgement of an offered chunk", () => {
  const refusals: [string, Partial<OfferedChunk>, number, number, RegExp][] = [
    ["of an epoch that is over", { epoch: 0 }, 0, 1, /epoch 0 is over/],
    ["of a step far ahead", { step: 2 }, 0, 1, /step 2 is not open/],
    ["of another shard", { chunk: 7 }, 0, 1, /chunk 7/],
    ["that is no node of the tree", {}, 1, 3, /no node/],
    ["beyond the step's leaves", {}, 4, 5, /no node/],
    ["with too few losses", { losses: [1] }, 0, 2, /1 losses/],
  ];
  for (const [name, more, lo, hi, reason] of refusals) {
    it(`refuses one ${name}`, () => {
      const { verdict, effects } = shard().offer(lo, hi, more);
      assert.equal(verdict.verdict, "refused");
      assert.match(verdict.verdict === "refused" ? verdict.reason : "", reason);
      assert.deepEqual(effects, []);
    });
  }

  it("lets one wait that is ahead of its plan or its epoch", () => {
    assert.equal(shard({ open: false }).offer(0, 1).verdict.verdict, "wait");
    assert.equal(shard().offer(0, 1, { step: 1 }).verdict.verdict, "wait");
    assert.equal(shard().offer(0, 1, { epoch: 2 }).verdict.verdict, "wait");
  });

  it("drops a duplicate, and a node inside one that is in", () => {
    const { offer } = shard();
    offer(0, 2);
    assert.equal(offer(0, 2).verdict.verdict, "dropped");
    assert.equal(offer(1, 2).verdict.verdict, "dropped");
  });

  it("lets a node replace the parts of it that are in, and reports only the leaves that are new", () => {
    const { offer } = shard();
    offer(0, 1);
    offer(0, 1, { chunk: 1 });
    offer(0, 4, { chunk: 1 });
    const { verdict, effects } = offer(0, 2);
    assert.equal(verdict.verdict, "accepted");
    assert.deepEqual(effects[0].kind, "stage");
    const covered = effects.filter((effect) => effect.kind === "report").map(({ report }) => report);
    assert.deepEqual(covered, [{ kind: "covered", epoch: 1, step: 0, lo: 1, hi: 2 }]);
  });

  it("lets a node wait when staging is full, unless it has the lowest uncovered leaf", () => {
    const { offer } = shard({ slotsMax: 1 });
    assert.equal(offer(2, 3).verdict.verdict, "accepted");
    assert.equal(offer(3, 4, { chunk: 1 }).verdict.verdict, "wait");
    assert.equal(offer(0, 1).verdict.verdict, "accepted");
  });
});

describe("a shard's step", () => {
  it("merges siblings upwards in tree order, whatever the order of arrival", () => {
    const { offer } = shard();
    assert.deepEqual(kinds(offer(3, 4).effects), ["stage"]);
    assert.deepEqual(kinds(offer(0, 2).effects), ["stage"]);
    // [2, 3) + [3, 4) → [2, 4), then [0, 2) + [2, 4) → the root.
    assert.deepEqual(kinds(offer(2, 3).effects), ["accumulate", "merge", "apply", "publish", "superseded"]);
  });

  it("commits when its last chunk is complete, with the ledger and the losses", () => {
    const { core, offer } = shard();
    offer(0, 4, { worker: "a" });
    offer(0, 2, { worker: "b", chunk: 1 });
    const { effects } = offer(2, 4, { worker: "c", chunk: 1 });
    const committed = effects.at(-1);
    assert.ok(committed?.kind === "report" && committed.report.kind === "committed");
    assert.deepEqual(committed.report.losses, [0, 1, 2, 3]);
    assert.deepEqual(committed.report.ledger, [
      { firstChunk: 0, endChunk: 1, ranges: [{ lo: 0, hi: 4, worker: "a" }] },
      {
        firstChunk: 1,
        endChunk: 2,
        ranges: [
          { lo: 0, hi: 2, worker: "b" },
          { lo: 2, hi: 4, worker: "c" },
        ],
      },
    ]);
    assert.equal(core.state.step, 1);
    assert.equal(core.state.slotsUsed, 0);
  });

  it("says once that its version can't be had any more, when the first of several chunks is updated", () => {
    const { offer } = shard();
    assert.deepEqual(kinds(offer(0, 4).effects), ["stage", "apply", "publish", "superseded"]);
    assert.ok(!kinds(offer(0, 4, { chunk: 1 }).effects).includes("superseded"));
  });

  it("drops what comes for a committed step", () => {
    const { offer } = shard();
    offer(0, 4);
    offer(0, 4, { chunk: 1 });
    assert.equal(offer(0, 4).verdict.verdict, "dropped");
  });

  it("is forgotten when a new epoch restores", () => {
    const { core, offer } = shard();
    offer(0, 2);
    core.handle({ kind: "restore", epoch: 2, step: 0 });
    assert.equal(core.state.slotsUsed, 0);
    assert.equal(offer(2, 4).verdict.verdict, "refused");
    assert.equal(offer(2, 4, { epoch: 2 }).verdict.verdict, "wait");
  });

  it("takes no plan but its own, and no second one", () => {
    const { core } = shard({ open: false });
    core.handle({ kind: "plan", plan: plan(3) });
    assert.ok(core.state.plan === undefined);
    core.handle({ kind: "plan", plan: plan(0) });
    core.handle({ kind: "plan", plan: plan(0, 8) });
    assert.deepEqual(core.state.plan, plan(0));
  });

  it("is copied for a checkpoint at its boundary only", () => {
    const mark = { step: 0, microBatches: 0, c1: 0, c2: 0 };
    const atBoundary = shard({ open: false }).core.handle({ kind: "checkpoint", epoch: 1, mark });
    assert.deepEqual(kinds(atBoundary), ["snapshot"]);
    assert.deepEqual(shard().core.handle({ kind: "checkpoint", epoch: 1, mark }), []);
  });

  it("ignores a load that a newer epoch has overtaken", () => {
    const { core } = shard();
    core.handle({ kind: "restore", epoch: 3, step: 0 });
    const late = core.handle({ kind: "restored", epoch: 2, mark: { step: 5, microBatches: 20, c1: 0, c2: 0 } });
    assert.deepEqual(late, []);
    assert.equal(core.state.phase, "loading");
  });
});
