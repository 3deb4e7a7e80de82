import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { StepPlan } from "../../../shared/steps/index.js";
import { createShardCore } from "./core.js";
import type { ChunkVerdict, OfferedChunk, ShardEffect } from "./messages.js";

const plan = (step: number, microBatches = 4): StepPlan => ({
  term: 1,
  step,
  firstMicroBatch: step * microBatches,
  microBatches,
  coefficients: {} as StepPlan["coefficients"],
});

/** A shard of chunks 0 and 1, restored at version 0, with or without its plan. */
function shard({ open = true, slotsMax = 100 } = {}) {
  const core = createShardCore({ chunks: [0, 1], reportsLosses: true, slotsMax });
  core.handle({ kind: "restore", term: 1, step: 0 });
  core.handle({ kind: "restored", term: 1, mark: { step: 0, microBatches: 0, c1: 0, c2: 0 } });
  if (open) core.handle({ kind: "plan", plan: plan(0) });
  /** Judges the chunk, and admits it if it is wanted. */
  const offer = (lo: number, hi: number, more: Partial<OfferedChunk> = {}): Offer => {
    const offered = { ...nodeOf(lo, hi), chunk: 0, ...more };
    const verdict = core.judge(offered);
    return { verdict, effects: verdict.verdict === "accepted" ? core.admit(offered, [offered.chunk]) : [] };
  };
  return { core, offer };
}

interface Offer {
  readonly verdict: ChunkVerdict;
  readonly effects: ShardEffect[];
}

const nodeOf = (lo: number, hi: number) => ({
  worker: "a",
  term: 1,
  step: 0,
  lo,
  hi,
  losses: Array.from({ length: hi - lo }, (_, i) => lo + i),
});

/** Every node of a step of four leaves. */
const NODES: [lo: number, hi: number][] = [
  ...[0, 1, 2, 3].map((leaf): [number, number] => [leaf, leaf + 1]),
  ...[0, 2].map((lo): [number, number] => [lo, lo + 2]),
  [0, 4],
];

/** The arithmetic as threads might do it: the first effect of either chunk, the second of either, and so on. */
function sideBySide(effects: ShardEffect[]): ShardEffect[] {
  const [a, b] = [1, 0].map((chunk) => effects.filter((effect) => "chunk" in effect && effect.chunk === chunk));
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
    [a[i], b[i]].filter((e) => e !== undefined),
  ).flat();
}

/** Performs the arithmetic on words that say how sums were made. @returns the chunks' roots that were applied */
function rootsOf(effects: ShardEffect[], slots: Map<number, string>, offered: string): string[] {
  // Sums of two addends don't depend on which came first.
  const sum = (a: string, b: string): string => `(${[a, b].sort().join("+")})`;
  const roots: string[] = [];
  for (const effect of effects) {
    const sums = "chunk" in effect ? `${offered} of ${effect.chunk}` : "";
    if (effect.kind === "stage") slots.set(effect.slot, sums);
    if (effect.kind === "accumulate") slots.set(effect.slot, sum(slots.get(effect.slot)!, sums));
    if (effect.kind === "merge") slots.set(effect.into, sum(slots.get(effect.into)!, slots.get(effect.from)!));
    if (effect.kind === "apply") roots.push(`${effect.chunk}: ${slots.get(effect.slot)}`);
  }
  return roots;
}

const kinds = (effects: ShardEffect[]): string[] =>
  effects.map((effect) => (effect.kind === "report" ? effect.report.kind : effect.kind));

describe("a shard's judgement of an offered chunk", () => {
  const refusals: [string, Partial<OfferedChunk>, number, number, RegExp][] = [
    ["of a term that is over", { term: 0 }, 0, 1, /term 0 is over/],
    ["of a step far ahead", { step: 2 }, 0, 1, /step 2 is not open/],
    ["of another shard", { chunk: 7 }, 0, 1, /chunk 7/],
    ["that is not a node of the tree", {}, 1, 3, /not a node/],
    ["beyond the step's leaves", {}, 4, 5, /not a node/],
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

  it("lets one wait that is ahead of its plan or its term", () => {
    assert.equal(shard({ open: false }).offer(0, 1).verdict.verdict, "wait");
    assert.equal(shard().offer(0, 1, { step: 1 }).verdict.verdict, "wait");
    assert.equal(shard().offer(0, 1, { term: 2 }).verdict.verdict, "wait");
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
    assert.deepEqual(covered, [{ kind: "covered", term: 1, step: 0, lo: 1, hi: 2 }]);
  });

  it("changes nothing, however often it is asked", () => {
    const { core, offer } = shard();
    offer(0, 1);
    const before = structuredClone({ ...core.state });
    for (let i = 0; i < 3; i++) {
      assert.equal(core.judge({ ...nodeOf(1, 2), chunk: 0 }).verdict, "accepted");
      assert.equal(core.judge({ ...nodeOf(0, 1), chunk: 0 }).verdict, "dropped");
    }
    assert.deepEqual({ ...core.state }, before);
    assert.deepEqual(kinds(offer(1, 2).effects), ["accumulate"]);
  });

  it("counts what was promised to chunks before it", () => {
    const { core } = shard({ slotsMax: 2 });
    const offered = { ...nodeOf(2, 3), chunk: 0 };
    assert.equal(core.judge(offered, 1).verdict, "accepted");
    assert.equal(core.judge(offered, 2).verdict, "wait");
  });

  it("must come before a chunk is admitted", () => {
    const { core, offer } = shard();
    offer(0, 2);
    assert.throws(() => core.admit(nodeOf(0, 2), [0]), /admitted without being judged/);
    assert.throws(() => core.admit({ ...nodeOf(2, 4), term: 0 }, [0]), /admitted without being judged/);
    assert.throws(() => core.admit({ ...nodeOf(2, 4), step: 1 }, [0]), /admitted without being judged/);
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

  it("reports once that its version is no longer available, when the first of several chunks is updated", () => {
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

  it("uses no slot for two chunks of a node that are admitted at once, and gives them back after all", () => {
    const { core } = shard();
    const first = core.admit(nodeOf(0, 2), [0, 1]);
    assert.deepEqual(kinds(first), ["stage", "stage", "covered"]);
    const last = core.admit(nodeOf(2, 4), [0, 1]);
    // First all arithmetic, then what it means for readers, then for the coordinator; nothing is superseded any more.
    assert.deepEqual(kinds(last), [
      ...["accumulate", "apply", "accumulate", "apply"],
      ...["publish", "publish", "covered", "committed"],
    ]);
    assert.equal(core.state.slotsUsed, 0);
    core.handle({ kind: "plan", plan: plan(1) });
    const whole = core.admit({ ...nodeOf(0, 4), step: 1 }, [0, 1]);
    assert.deepEqual(kinds(whole), ["stage", "apply", "stage", "apply", "publish", "publish", "covered", "committed"]);
    const slots = whole.flatMap((effect) => (effect.kind === "stage" ? [effect.slot] : []));
    assert.equal(new Set(slots).size, 2);
    assert.equal(core.state.slotsUsed, 0);
  });

  it("comes out the same whether a node's chunks are admitted one by one or at once", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(NODES, { minLength: NODES.length }),
        fc.array(fc.boolean(), { minLength: NODES.length, maxLength: NODES.length }),
        (nodes, atOnce) => {
          const [single, batched] = [shard(), shard()];
          const sums = [new Map<number, string>(), new Map<number, string>()];
          const roots: string[][] = [[], []];
          for (const [i, [lo, hi]] of nodes.entries()) {
            const wanted = (core: typeof single.core, chunks: number[]) =>
              chunks.filter((chunk) => core.judge({ ...nodeOf(lo, hi), chunk }).verdict === "accepted");
            const admitted = (core: typeof single.core, chunks: number[]): ShardEffect[] =>
              chunks.length === 0 ? [] : core.admit(nodeOf(lo, hi), chunks);
            const oneByOne = [0, 1].flatMap((chunk) => admitted(single.core, wanted(single.core, [chunk])));
            const together = atOnce[i]
              ? admitted(batched.core, wanted(batched.core, [0, 1]))
              : [0, 1].flatMap((chunk) => admitted(batched.core, wanted(batched.core, [chunk])));
            roots[0].push(...rootsOf(oneByOne, sums[0], `[${lo}, ${hi})`));
            roots[1].push(...rootsOf(atOnce[i] ? sideBySide(together) : together, sums[1], `[${lo}, ${hi})`));
          }
          assert.deepEqual(roots[1].sort(), roots[0].sort());
          assert.equal(roots[0].length, 2);
          assert.equal(batched.core.state.step, 1);
          assert.equal(batched.core.state.slotsUsed, 0);
        },
      ),
    );
  });

  it("is forgotten when a new term restores", () => {
    const { core, offer } = shard();
    offer(0, 2);
    core.handle({ kind: "restore", term: 2, step: 0 });
    assert.equal(core.state.slotsUsed, 0);
    assert.equal(offer(2, 4).verdict.verdict, "refused");
    assert.equal(offer(2, 4, { term: 2 }).verdict.verdict, "wait");
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
    const atBoundary = shard({ open: false }).core.handle({ kind: "checkpoint", term: 1, mark });
    assert.deepEqual(kinds(atBoundary), ["snapshot"]);
    assert.deepEqual(shard().core.handle({ kind: "checkpoint", term: 1, mark }), []);
  });

  it("ignores a load that a newer term has overtaken", () => {
    const { core } = shard();
    core.handle({ kind: "restore", term: 3, step: 0 });
    const late = core.handle({ kind: "restored", term: 2, mark: { step: 5, microBatches: 20, c1: 0, c2: 0 } });
    assert.deepEqual(late, []);
    assert.equal(core.state.phase, "loading");
  });
});
