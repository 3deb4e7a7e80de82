import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalNodes, type Interval } from "../shared/sums/index.js";
import {
  createFold,
  type FoldedNode,
  type FoldOperation,
  joinNodes,
  slotsNeeded,
  slotsNeededMax,
  splitLeaves,
} from "./fold.js";

/** Sums as words instead of numbers: the words show the order of every addition. */
interface WordedSlots {
  readonly s1: Map<number, string>;
  readonly s2: Map<number, string>;
  gradient: string;
}

function perform(slots: WordedSlots, operation: FoldOperation): void {
  const { s1, s2 } = slots;
  switch (operation.kind) {
    case "square": {
      assert.equal(s1.get(operation.slot), `g${operation.leaf}`, "the slot must hold its leaf raw");
      s1.set(operation.slot, `${operation.leaf}`);
      s2.set(operation.slot, `${operation.leaf}²`);
      break;
    }
    case "addGradient": {
      assert.equal(slots.gradient, `g${operation.leaf}`);
      s1.set(operation.slot, `(${s1.get(operation.slot)}+${operation.leaf})`);
      s2.set(operation.slot, `(${s2.get(operation.slot)}+${operation.leaf}²)`);
      break;
    }
    case "add": {
      s1.set(operation.into, `(${s1.get(operation.into)}+${s1.get(operation.slot)})`);
      s2.set(operation.into, `(${s2.get(operation.into)}+${s2.get(operation.slot)})`);
      s1.delete(operation.slot);
      s2.delete(operation.slot);
      break;
    }
  }
}

/** Folds [lo, hi) as a thread does. */
function fold(slots: WordedSlots, { lo, hi }: Interval, microBatches: number, firstSlot: number): FoldedNode[] {
  const own = Array.from({ length: slotsNeeded(lo, hi) }, (_, i) => firstSlot + i);
  const folding = createFold(lo, hi, microBatches, own);
  for (let leaf = lo; leaf < hi; leaf++) {
    assert.equal(folding.leaf, leaf);
    const { target } = folding;
    if (target === "gradient") slots.gradient = `g${leaf}`;
    else {
      assert.ok(own.includes(target.slot) && !slots.s1.has(target.slot), "the target must be a free slot");
      slots.s1.set(target.slot, `g${leaf}`);
    }
    for (const operation of folding.accept()) perform(slots, operation);
  }
  return folding.nodes();
}

/** The sum over [lo, hi) by its definition: two halves, the left one the largest power of two below the length. */
function defined(lo: number, hi: number, leaf: (n: number) => string): string {
  if (hi - lo === 1) return leaf(lo);
  let half = 1;
  while (half * 2 < hi - lo) half *= 2;
  return `(${defined(lo, lo + half, leaf)}+${defined(lo + half, hi, leaf)})`;
}

function assertDefinedSums(slots: WordedSlots, nodes: readonly FoldedNode[]): void {
  for (const { lo, hi, slot } of nodes) {
    if (hi - lo === 1) {
      assert.equal(slots.s1.get(slot), `g${lo}`, "a node of one leaf is its gradient");
      assert.equal(slots.s2.get(slot), undefined);
    } else {
      assert.equal(slots.s1.get(slot), defined(lo, hi, String));
      assert.equal(
        slots.s2.get(slot),
        defined(lo, hi, (n) => `${n}²`),
      );
    }
  }
}

const intervals = (nodes: readonly Interval[]): Interval[] => nodes.map(({ lo, hi }) => ({ lo, hi }));

const ranges = fc
  .tuple(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat())
  .map(([microBatches, a, b]) => ({ microBatches, lo: a % microBatches, length: b }))
  .map(({ microBatches, lo, length }) => ({ microBatches, lo, hi: lo + 1 + (length % (microBatches - lo)) }));

describe("createFold()", () => {
  it("leaves exactly the range's canonical nodes, each summed by the tree's definition", () => {
    fc.assert(
      fc.property(ranges, ({ microBatches, lo, hi }) => {
        const slots: WordedSlots = { s1: new Map(), s2: new Map(), gradient: "" };
        const nodes = fold(slots, { lo, hi }, microBatches, 0);
        assert.deepEqual(intervals(nodes), canonicalNodes(lo, hi, microBatches));
        assertDefinedSums(slots, nodes);
        assert.equal(slots.s1.size, nodes.length, "every other slot is free again");
      }),
      { numRuns: 300 },
    );
  });

  it("stores only the first leaf of a pair", () => {
    const folding = createFold(0, 2, 2, [5]);
    assert.deepEqual(folding.target, { slot: 5 });
    assert.deepEqual(folding.accept(), []);
    assert.equal(folding.target, "gradient");
    assert.deepEqual(folding.accept(), [
      { kind: "square", slot: 5, leaf: 0 },
      { kind: "addGradient", slot: 5, leaf: 1 },
    ]);
  });

  it("takes no more leaves than the range has", () => {
    const folding = createFold(3, 4, 6, [0]);
    folding.accept();
    assert.throws(() => folding.accept(), RangeError);
  });
});

describe("joinNodes()", () => {
  it("makes what several threads folded the same sums as one thread would have", () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 9 }), ({ microBatches, lo, hi }, threads) => {
        const slots: WordedSlots = { s1: new Map(), s2: new Map(), gradient: "" };
        const parts = splitLeaves(lo, hi, threads);
        const folded = parts.flatMap((part, i) => fold(slots, part, microBatches, i * 100));
        const { nodes, operations } = joinNodes(folded, microBatches);
        for (const operation of operations) perform(slots, operation);
        assert.deepEqual(intervals(nodes), canonicalNodes(lo, hi, microBatches));
        assertDefinedSums(slots, nodes);
      }),
      { numRuns: 300 },
    );
  });
});

describe("splitLeaves()", () => {
  it("covers the range with at most as many parts, none over the even share", () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 40 }),
        (lo, length, parts) => {
          const cut = splitLeaves(lo, lo + length, parts);
          assert.ok(cut.length <= parts);
          assert.equal(cut[0].lo, lo);
          assert.equal(cut.at(-1)?.hi, lo + length);
          for (const [i, part] of cut.entries()) {
            assert.ok(part.hi > part.lo && part.hi - part.lo <= Math.ceil(length / parts));
            if (i > 0) assert.equal(part.lo, cut[i - 1].hi);
          }
        },
      ),
    );
  });

  it("cuts where fewest nodes are torn", () => {
    assert.deepEqual(splitLeaves(0, 7, 2), [
      { lo: 0, hi: 4 },
      { lo: 4, hi: 7 },
    ]);
    assert.deepEqual(splitLeaves(1, 8, 2), [
      { lo: 1, hi: 4 },
      { lo: 4, hi: 8 },
    ]);
  });
});

describe("slotsNeededMax()", () => {
  it("bounds slotsNeeded() for every range up to 100 leaves", () => {
    for (let lo = 0; lo < 100; lo++) {
      for (let hi = lo + 1; hi <= 100; hi++)
        assert.ok(slotsNeeded(lo, hi) <= slotsNeededMax(hi - lo), `[${lo}, ${hi})`);
    }
  });
});
