import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readLossTrend } from "./loss-trend.js";

/** The trend of a run with these losses, among other lines. */
function trendOf(losses: readonly number[]) {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-trend-"));
  const lines = losses.flatMap((loss, step) => [
    { type: "evaluation", step, loss: 99 },
    { type: "step", step, loss },
  ]);
  writeFileSync(join(folder, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  try {
    return readLossTrend(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const series = (count: number, loss: (i: number) => number) => Array.from({ length: count }, (_, i) => loss(i));

describe("readLossTrend()", () => {
  it("compares the first step with the last ones, up to half of all", () => {
    assert.equal(trendOf([]), undefined);
    assert.equal(trendOf([3]), undefined);
    assert.deepEqual(trendOf([3, 1, 2]), { first: 3, last: 2, steps: 1, risen: false });
    assert.deepEqual(trendOf(series(8, (i) => i + 1)), { first: 1, last: 6.5, steps: 4, risen: true });
    // The mean of 150 … 199.
    assert.deepEqual(trendOf(series(200, (i) => 500 - i)), { first: 500, last: 500 - 174.5, steps: 50, risen: false });
  });

  it("does not take noise for a rise", () => {
    // ±1 has the standard deviation 1.
    const noisy = (first: number) => [first, ...series(199, (i) => 5 + (i % 2 === 0 ? 1 : -1))];
    assert.equal(trendOf(noisy(3.1))?.risen, false);
    assert.equal(trendOf(noisy(2.8))?.risen, true);
    assert.equal(trendOf([2, 3.9])?.risen, false);
    assert.equal(trendOf([2, 4.1])?.risen, true);
    assert.equal(trendOf(series(20, () => 2))?.risen, false);
  });

  it("sees a run that failed with its first update, and is wild since", () => {
    assert.equal(trendOf([1.5, ...series(100, (i) => (i % 5 === 0 ? 900 : 0.1))])?.risen, true);
  });
});
