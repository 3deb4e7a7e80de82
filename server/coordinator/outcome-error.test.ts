import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SampleReader } from "../samples/index.js";
import { outcomeError } from "./outcome-error.js";

const samples = {
  numbersOf: (microBatch: number) => Uint32Array.of(microBatch, 7),
} as Partial<SampleReader> as SampleReader;
const failed = (reason: string, workers: readonly string[]) =>
  outcomeError({ ok: false, code: "failed", reason, times: 5, workers }, samples, 3).message;

describe("outcomeError()", () => {
  it("names the samples of a micro-batch that diverged", () => {
    const outcome = { ok: false, code: "diverged", reason: "the loss is NaN, 2 times", microBatch: 4 } as const;
    assert.match(
      outcomeError(outcome, samples, 3).message,
      /at step 3, micro-batch 4 \(samples 4, 7\): the loss is NaN/,
    );
  });

  it("gives the reason that all workers have in common, and some of them", () => {
    assert.equal(
      failed("There is no kernel.", ["a", "b"]),
      "Every worker fails at step 3 with the same error, 5 times without anything computed in between (on a, b): " +
        "There is no kernel. Fix the cause and start the same command again: it resumes at the newest checkpoint.",
    );
    assert.match(failed("no", ["a", "b", "c", "d", "e", "f", "g"]), /\(on a, b, c, d, e, others\): no\. Fix/);
  });

  it("says what to try where memory is short", () => {
    for (const reason of [
      "memory access out of bounds",
      "OOM when allocating tensor",
      "Array buffer allocation failed",
    ])
      assert.match(failed(reason, ["a"]), /\. Often a micro-batch needs more memory than there is: .* Fix the cause/);
  });
});
