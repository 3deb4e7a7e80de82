import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalNodes, type Interval, isNode, parentOf, siblingOf } from "./tree.js";

/** Every node of the tree, by the recursive definition itself. */
function allNodes(lo: number, hi: number, into: Interval[] = []): Interval[] {
  into.push({ lo, hi });
  if (hi - lo > 1) {
    let half = 1;
    while (half * 2 < hi - lo) half *= 2;
    allNodes(lo, lo + half, into);
    allNodes(lo + half, hi, into);
  }
  return into;
}

const key = (node: Interval): string => `${node.lo}-${node.hi}`;

describe("isNode()", () => {
  it("accepts exactly the intervals of the recursive definition, for every κ up to 40", () => {
    for (let leaves = 1; leaves <= 40; leaves++) {
      const nodes = new Set(allNodes(0, leaves).map(key));
      for (let lo = -1; lo <= leaves; lo++) {
        for (let hi = lo - 1; hi <= leaves + 1; hi++) {
          assert.equal(isNode(lo, hi, leaves), nodes.has(`${lo}-${hi}`), `[${lo}, ${hi}) of ${leaves}`);
        }
      }
    }
  });

  it("refuses numbers that are no integers", () => {
    assert.equal(isNode(0.5, 1, 4), false);
    assert.equal(isNode(0, Number.NaN, 4), false);
  });
});

describe("parentOf() and siblingOf()", () => {
  it("agree with the recursive definition, for every κ up to 40", () => {
    for (let leaves = 1; leaves <= 40; leaves++) {
      for (const node of allNodes(0, leaves)) {
        if (node.hi - node.lo < 2) continue;
        let half = 1;
        while (half * 2 < node.hi - node.lo) half *= 2;
        const left = { lo: node.lo, hi: node.lo + half };
        const right = { lo: node.lo + half, hi: node.hi };
        assert.deepEqual(parentOf(left, leaves), node);
        assert.deepEqual(parentOf(right, leaves), node);
        assert.deepEqual(siblingOf(left, leaves), right);
        assert.deepEqual(siblingOf(right, leaves), left);
      }
      assert.equal(parentOf({ lo: 0, hi: leaves }, leaves), undefined);
      assert.equal(siblingOf({ lo: 0, hi: leaves }, leaves), undefined);
    }
  });
});

describe("canonicalNodes()", () => {
  it("cuts any range into nodes, in order, without gaps, none of which could be larger", () => {
    const range = fc
      .tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat())
      .map(([leaves, a, b]) => ({ leaves, lo: a % leaves, hi: (a % leaves) + 1 + (b % (leaves - (a % leaves))) }));
    fc.assert(
      fc.property(range, ({ leaves, lo, hi }) => {
        const nodes = canonicalNodes(lo, hi, leaves);
        assert.equal(nodes[0].lo, lo);
        assert.equal(nodes.at(-1)?.hi, hi);
        for (const [i, node] of nodes.entries()) {
          assert.ok(isNode(node.lo, node.hi, leaves));
          if (i > 0) assert.equal(node.lo, nodes[i - 1].hi);
          const parent = parentOf(node, leaves);
          assert.ok(parent === undefined || parent.lo < lo || parent.hi > hi, "a larger node would have fitted");
        }
        assert.ok(nodes.length <= 2 * Math.log2(hi - lo) + 1);
      }),
      { seed: 7 },
    );
  });

  it("gives κ = 6 on two workers as [0,2) [2,3) and [3,4) [4,6)", () => {
    assert.deepEqual(canonicalNodes(0, 3, 6).map(key), ["0-2", "2-3"]);
    assert.deepEqual(canonicalNodes(3, 6, 6).map(key), ["3-4", "4-6"]);
    assert.deepEqual(canonicalNodes(0, 6, 6).map(key), ["0-6"]);
  });

  it("refuses an empty or foreign range", () => {
    assert.throws(() => canonicalNodes(2, 2, 4), RangeError);
    assert.throws(() => canonicalNodes(0, 5, 4), RangeError);
  });
});
