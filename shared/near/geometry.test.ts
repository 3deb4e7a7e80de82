import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLayout, sliceChunks } from "../layout/index.js";
import { slotShapes, sumsAt, thetaParts } from "./geometry.js";

const ELEMENTS = 4;
const layout = createLayout([
  { name: "a", shape: [2 ** 24 + 5_000], kind: "parameter", decay: true },
  { name: "mean", shape: [300], kind: "tail", decay: false, momentum: 0.9 },
  { name: "frozen", shape: [70], kind: "frozen", decay: false },
]);

describe("the files that processes share", () => {
  it("hold every element of θ once, in the slices of any number of shards", () => {
    for (const shards of [1, 2, 3, 7]) {
      const parts = sliceChunks(layout, shards).flatMap((range) => thetaParts(layout, range));
      let next = 0;
      for (const { segment, offset, length, at, bytes } of parts) {
        assert.equal(offset, next);
        assert.equal(at, (offset - layout.segments[segment].offset) * ELEMENTS);
        assert.equal(bytes, length * ELEMENTS);
        next += length;
      }
      assert.equal(next, layout.length);
    }
  });

  it("give S1 and S2 of every chunk in every slot their own bytes", () => {
    const shapes = slotShapes(layout);
    const taken = layout.segments.map(() => [] as (readonly [from: number, to: number])[]);
    for (const slot of [0, 1, 2]) {
      for (const chunk of layout.chunks.filter(({ kind }) => kind !== "frozen")) {
        for (const sum of chunk.kind === "parameter" ? (["s1", "s2"] as const) : (["s1"] as const)) {
          const from = sumsAt(shapes[chunk.segment], slot, sum, chunk);
          assert.ok(from >= slot * shapes[chunk.segment].bytes);
          assert.ok(from + chunk.length * ELEMENTS <= (slot + 1) * shapes[chunk.segment].bytes);
          taken[chunk.segment].push([from, from + chunk.length * ELEMENTS]);
        }
      }
    }
    for (const ranges of taken) {
      ranges.sort(([a], [b]) => a - b);
      for (const [i, [from]] of ranges.entries()) if (i > 0) assert.ok(ranges[i - 1][1] <= from);
    }
  });
});
