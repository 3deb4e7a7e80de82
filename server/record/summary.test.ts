import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { summarize } from "./summary.js";

const inputs = {
  ...{
    task: "mnist",
    optimizer: "invariant Adam, linear rule",
    runId: "r",
    version: "0.1.0",
    stateHash: "h",
    steps: 100,
  },
  samples: 6400,
  samplesOfProcess: 3200,
  durationSeconds: 4,
  recomputedSteps: 0,
  finalEvaluation: null,
  trainingLoss: null,
  extendedAtSamples: [],
  numerics: null,
  mixedNumerics: false,
  terms: 1,
  finishedAt: "2026-01-01T00:00:00Z",
  failure: null,
  workers: [
    { id: "a", host: "h", device: "cpu", microBatches: 30 },
    { id: "b", host: "h", device: "cpu", microBatches: 10 },
  ],
};

describe("summarize()", () => {
  it("counts the samples of this sitting, and each worker's share of it", () => {
    const summary = summarize(inputs);
    assert.equal(summary.samplesPerSecond, 800);
    assert.deepEqual(
      summary.workers.map(({ share }) => share),
      [0.75, 0.25],
    );
    assert.equal(summary.bitExact, true);
  });

  it("promises no bits where numerics classes were mixed, and divides by no zero", () => {
    const summary = summarize({ ...inputs, mixedNumerics: true, durationSeconds: 0, workers: [] });
    assert.equal(summary.bitExact, false);
    assert.equal(summary.samplesPerSecond, 0);
  });
});
