import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AdviceInputs, advise, workersAdvised } from "./advice.js";

const inputs = (change: Partial<AdviceInputs> = {}): AdviceInputs => ({
  microBatchSize: 64,
  microBatchesAt: () => 8,
  noiseScale: undefined,
  computeThreads: 1,
  threadMs: 10,
  overheadMs: 0,
  ...change,
});

describe("workersAdvised()", () => {
  it("is κ where κ is fixed and nothing but computing takes time", () => {
    assert.equal(workersAdvised(inputs()), 8);
    // Four threads a worker: two workers are busy with 8 micro-batches, a third would find none.
    assert.equal(workersAdvised(inputs({ computeThreads: 4 })), 2);
    assert.equal(workersAdvised(inputs({ microBatchesAt: () => 1 })), 1);
  });

  it("counts only workers that shorten a step: 7 of 12 leave it as long as 6 do", () => {
    assert.equal(workersAdvised(inputs({ microBatchesAt: () => 12, overheadMs: 11 })), 12);
    assert.equal(workersAdvised(inputs({ microBatchesAt: () => 12, overheadMs: 15 })), 6);
  });

  it("falls as the workers' speed makes computing the smaller part of a step", () => {
    // 64·threadMs/w + 20 against w times 1/(64·threadMs + 20): half of it at w = 64·threadMs/20 + 2.
    assert.equal(workersAdvised(inputs({ microBatchesAt: () => 64, threadMs: 10, overheadMs: 20 })), 32);
    assert.equal(workersAdvised(inputs({ microBatchesAt: () => 64, threadMs: 1, overheadMs: 20 })), 5);
  });

  it("is B_simple/(b·perWorker) + 2 where κ follows the workers", () => {
    const follows = { microBatchesAt: (workers: number) => 2 * workers };
    assert.equal(workersAdvised(inputs({ ...follows, noiseScale: 64 * 2 * 10 })), 12);
    assert.equal(workersAdvised(inputs({ ...follows, noiseScale: 64 * 2 * 100 })), 102);
    assert.equal(workersAdvised(inputs({ ...follows, noiseScale: undefined })), undefined);
  });

  it("ends where κ has reached its greatest and every worker one micro-batch", () => {
    const microBatchesAt = (workers: number) => Math.min(2 * workers, 16);
    assert.equal(workersAdvised(inputs({ microBatchesAt, noiseScale: 1e9 })), 16);
  });
});

describe("advise()", () => {
  it("says how many workers help, and what keeps more from helping", () => {
    assert.equal(advise(inputs(), 2).text, "up to 8 workers make training faster; more don't");
    const { workers, text } = advise(inputs({ noiseScale: 6_400 }), 8);
    assert.equal(workers, 8);
    assert.equal(
      text,
      "8 workers are enough; another one would not make training faster (κ is at most 8; the gradient noise would allow more)",
    );
  });

  it("has no number while the noise scale is not resolved, where that is what decides", () => {
    const { workers, text } = advise(inputs({ microBatchesAt: (n) => n }), 2);
    assert.equal(workers, 0);
    assert.match(text, /not known yet/);
  });
});
