import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SumsSource } from "./source.js";
import { createStaged, type SliceMove } from "./staged.js";
import { planFor } from "./sums.test.helper.js";

const CHUNK = 3;
const LEAF = { w1: 1, w2: 1 };
const LENT: SumsSource = { kind: "memory", s1: 1_000, s2: 2_000, lend: true };
const COPIED: SumsSource = { ...LENT, lend: false };

/** Sums of one chunk, and the buffers that are in use for them. */
function setUp() {
  const inUse = new Set<number>();
  let taken = 0;
  const take = () => {
    const s1 = 100 * taken++;
    inUse.add(s1);
    return { s1, s2: s1 + 50 };
  };
  const give = (_chunk: number, s1: number): void => assert.ok(inUse.delete(s1), `buffer ${s1} was given back twice`);
  const staged = createStaged({ take, give, adopt() {} }, () => true);
  const perform = (source: SumsSource, ...moves: SliceMove[]): void =>
    staged.perform(
      moves,
      () => source,
      (programs) => {
        const own = programs.flatMap(({ operands }) => operands.filter((operand) => operand.own));
        for (const { s1 } of own) assert.ok(inUse.has(s1), `buffer ${s1} was given back before it was read`);
      },
    );
  return { inUse, staged, perform, received: (): SumsSource => ({ kind: "own", ...take() }) };
}

const stage = (slot: number): SliceMove => ({ kind: "stage", chunk: CHUNK, slot, leaf: LEAF });
const accumulate = (slot: number): SliceMove => ({ kind: "accumulate", chunk: CHUNK, slot, leaf: LEAF });
const merge = (from: number, into: number): SliceMove => ({ kind: "merge", chunk: CHUNK, from, into });
const apply = (slot: number): SliceMove => ({ kind: "apply", chunk: CHUNK, slot, plan: planFor(4) });

describe("buffers of what is staged", () => {
  it("are as many as there are sums of the shard's own, and none once the chunk is updated", () => {
    const { inUse, perform, received } = setUp();
    perform(LENT, stage(0));
    assert.equal(inUse.size, 0, "what is lent is left where it is");
    perform(COPIED, stage(1));
    assert.equal(inUse.size, 1, "what is not lent is copied");
    perform(received(), stage(2));
    assert.equal(inUse.size, 2, "what was received is kept");
    perform(LENT, accumulate(0));
    assert.equal(inUse.size, 3, "the sum of two that are lent needs a buffer");
    perform(received(), accumulate(1));
    assert.equal(inUse.size, 3, "the sum of two of the slice's buffers is in one of them");
    perform(LENT, accumulate(2), merge(2, 1));
    assert.equal(inUse.size, 2);
    perform(received(), stage(3));
    perform(LENT, accumulate(3), merge(3, 1), merge(1, 0), apply(0));
    assert.equal(inUse.size, 0);
  });

  it("are given back when their slot is used again, and when all is forgotten", () => {
    const { inUse, perform, received, staged } = setUp();
    for (const source of [COPIED, received(), LENT, COPIED]) perform(source, stage(5));
    assert.equal(inUse.size, 1);
    perform(received(), stage(6));
    staged.clear();
    assert.equal(inUse.size, 0);
    assert.throws(() => perform(LENT, accumulate(5)), /slot 5 of the shard is empty/);
  });
});
