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
  it("compares the first steps with the last, which don't overlap", () => {
    assert.equal(trendOf([]), undefined);
    assert.equal(trendOf([3]), undefined);
    assert.deepEqual(trendOf([3, 1, 2]), { first: 3, last: 2, steps: 1, risen: false });
    assert.deepEqual(trendOf(series(8, (i) => i)), { first: 1.5, last: 5.5, steps: 4, risen: true });
    // The means of 0 … 49 and of 150 … 199.
    assert.deepEqual(trendOf(series(200, (i) => -i)), { first: -24.5, last: -174.5, steps: 50, risen: false });
  });

  it("does not take noise for a rise", () => {
    // ±1 around 5 and 5.3 has the standard deviation 1, so that of the means of 50 is 0.14, and of their difference 0.2.
    const noisy = (rise: number) => series(200, (i) => (i < 100 ? 5 : 5 + rise) + (i % 2 === 0 ? 1 : -1));
    assert.equal(trendOf(noisy(0.3))?.risen, false);
    assert.equal(trendOf(noisy(0.5))?.risen, true);
    assert.equal(trendOf([2, 2.9])?.risen, false);
    assert.equal(trendOf([2, 3.1])?.risen, true);
    assert.equal(trendOf(series(20, () => 2))?.risen, false);
  });
});
