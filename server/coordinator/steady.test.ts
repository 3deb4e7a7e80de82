import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSteady } from "./steady.js";

describe("createSteady()", () => {
  it("shows the first value at once, and another one only when it stays or nobody has looked for long", () => {
    const steady = createSteady<number>(10, (a, b) => a === b);
    const shown = [
      [0, 6],
      [1, 7],
      [2, 6],
      [3, 8],
      [9, 7],
      [12, 7],
      [13, 7],
      [14, 6],
      [20, 7],
      [31, 5],
    ].map(([ms, value]) => steady.next(value, ms));
    assert.deepEqual(shown, [6, 6, 6, 6, 6, 6, 7, 7, 7, 5]);
  });
});
