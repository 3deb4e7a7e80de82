import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { downsample } from "./downsample.js";

const ramp = (length: number, y: (i: number) => number) => ({
  x: Array.from({ length }, (_, i) => i),
  y: Array.from({ length }, (_, i) => y(i)),
});

describe("downsample()", () => {
  it("keeps a short curve as it is", () => {
    const points = ramp(50, Math.sin);
    assert.deepEqual(downsample(points, 50), points);
  });

  it("picks exactly this many points of the curve, in order, with both ends", () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 4, maxLength: 400 }), fc.integer({ min: 3, max: 50 }), (y, most) => {
        const points = ramp(y.length, (i) => y[i]);
        const short = downsample(points, most);
        assert.equal(short.x.length, Math.min(most, y.length));
        assert.deepEqual([short.x[0], short.x.at(-1)], [0, y.length - 1]);
        assert.ok(short.x.every((x, i) => short.y[i] === y[x] && (i === 0 || x > short.x[i - 1])));
      }),
    );
  });

  it("keeps a single spike among 100,000 points", () => {
    const short = downsample(
      ramp(100_000, (i) => (i === 54_321 ? 9 : 0)),
      2000,
    );
    assert.ok(short.x.includes(54_321));
  });
});
