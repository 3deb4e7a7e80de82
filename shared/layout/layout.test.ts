import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  BLOCK_LENGTH,
  createLayout,
  layoutFromJson,
  layoutToJson,
  SEGMENT_LENGTH_MAX,
  sliceChunks,
  tensorParts,
} from "./layout.js";

const parameter = (name: string, ...shape: number[]) => ({ name, shape, kind: "parameter" as const, decay: true });
const tail = (name: string, length: number) => ({
  name,
  shape: [length],
  kind: "tail" as const,
  decay: false,
  momentum: 0.99,
});

describe("createLayout()", () => {
  it("puts parameters first, then the tail, then what is frozen, each in the given order", () => {
    const frozen = { name: "f", shape: [3], kind: "frozen" as const, decay: false };
    const layout = createLayout([frozen, tail("t", 2), parameter("a", 2, 5), parameter("b")]);
    assert.deepEqual(
      layout.tensors.map((t) => [t.name, t.offset, t.length]),
      [
        ["a", 0, 10],
        ["b", 10, 1],
        ["t", 11, 2],
        ["f", 13, 3],
      ],
    );
    assert.deepEqual([layout.parameters, layout.tail, layout.frozen, layout.length], [11, 2, 3, 16]);
  });

  it("cuts chunks that cover the vector once, never mix kinds and lie in one segment each", () => {
    const layout = createLayout([parameter("big", 40_000_000), tail("t", 10), parameter("x", 7)]);
    let offset = 0;
    for (const chunk of layout.chunks) {
      assert.equal(chunk.offset, offset);
      offset += chunk.length;
      const segment = layout.segments[chunk.segment];
      assert.ok(chunk.offset >= segment.offset && offset <= segment.offset + segment.length);
      const kinds = new Set(tensorParts(layout, chunk.offset, chunk.length).map((part) => part.tensor.kind));
      assert.deepEqual([...kinds], [chunk.kind]);
      if (chunk.kind === "parameter") assert.equal(chunk.offset % BLOCK_LENGTH, 0);
    }
    assert.equal(offset, layout.length);
    for (const segment of layout.segments) assert.ok(segment.length <= SEGMENT_LENGTH_MAX);
    assert.ok(layout.segments.length >= 3);
  });

  it("survives its JSON form", () => {
    const layout = createLayout([parameter("a", 784, 512), tail("t", 512)]);
    assert.deepEqual(layoutFromJson(layoutToJson(layout)), layout);
  });

  it("refuses two tensors of one name and an empty one", () => {
    assert.throws(() => createLayout([parameter("a", 1), parameter("a", 2)]), /called a/);
    assert.throws(() => createLayout([parameter("a", 0)]), /0 elements/);
  });
});

describe("layoutFromJson()", () => {
  const one = { name: "a", shape: [2], kind: "parameter", decay: true };
  const wrong: [what: string, layout: unknown, reason: RegExp][] = [
    ["no list", { tensors: [] }, /not a list of tensors/],
    ["nothing in a list", [null], /without a name/],
    ["a long name", [{ ...one, name: "a".repeat(1001) }], /without a name of 1 to 1000 characters/],
    ["a size beyond all", [{ ...one, shape: [Number.MAX_SAFE_INTEGER] }], /with tensor a .* 9007199254740991 elements/],
    [
      "a product beyond all",
      [{ ...one, shape: [2 ** 30, 2 ** 30] }],
      /1152921504606847000 elements; at most 1073741824/,
    ],
    [
      "a sum beyond all",
      ["a", "b"].map((name) => ({ ...one, name, shape: [2 ** 29 + 1] })),
      /with tensor b .* 1073741826/,
    ],
    ["a size of none", [{ ...one, shape: [0] }], /the shape of tensor a is not a list/],
    ["half a size", [{ ...one, shape: [1.5] }], /the shape of tensor a is not a list/],
    ["a shape of words", [{ ...one, shape: "12" }], /the shape of tensor a is not a list/],
    [
      "a shape without end",
      [{ ...one, shape: new Array(17).fill(1) }],
      /the shape of tensor a is not a list of at most 16/,
    ],
    ["another kind", [{ ...one, kind: "toString" }], /the kind of tensor a is not one of parameter/],
    ["no decay", [{ ...one, decay: 1 }], /tensor a does not say whether it decays/],
    ["a momentum of words", [{ ...one, momentum: "0.9" }], /the momentum of tensor a/],
    ["too many tensors", new Array(2 ** 14 + 1).fill(one), /16385 tensors; at most 16384/],
    ["a repeated name", [one, one], /two tensors are called a/],
  ];
  for (const [what, layout, reason] of wrong) {
    it(`refuses ${what}`, () => assert.throws(() => layoutFromJson(JSON.stringify(layout)), reason));
  }

  it("refuses a long text before it is parsed", () => {
    assert.throws(() => layoutFromJson(`[${"[".repeat(2 ** 23)}`), /8388609 characters; at most 8388608/);
  });
});

describe("sliceChunks()", () => {
  it("gives every shard a contiguous, non-empty slice", () => {
    const layout = createLayout([parameter("a", 669_706)]);
    for (let shards = 1; shards <= layout.chunks.length; shards++) {
      const slices = sliceChunks(layout, shards);
      assert.equal(slices.length, shards);
      let next = 0;
      for (const slice of slices) {
        assert.equal(slice.firstChunk, next);
        assert.ok(slice.endChunk > slice.firstChunk);
        next = slice.endChunk;
      }
      assert.equal(next, layout.chunks.length);
    }
    assert.throws(() => sliceChunks(layout, layout.chunks.length + 1), RangeError);
  });
});
