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
