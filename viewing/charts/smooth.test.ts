import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { smooth } from "./smooth.js";

const ramp = (length: number, y: (i: number) => number) => ({
  x: Array.from({ length }, (_, i) => i),
  y: Array.from({ length }, (_, i) => y(i)),
});

describe("smooth()", () => {
  it("leaves a constant as it is, its ends too, and does not lag behind a slope", () => {
    assert.ok(
      smooth(
        ramp(100, () => 3),
        10,
      ).y.every((value) => Math.abs(value - 3) < 1e-12),
    );
    const middle = smooth(
      ramp(201, (i) => i),
      10,
    ).y[100];
    assert.ok(Math.abs(middle - 100) < 1e-9);
  });
});
