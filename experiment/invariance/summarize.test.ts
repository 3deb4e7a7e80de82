import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunResult } from "./perform.js";
import { meanCurves, summarize } from "./summarize.js";

const run = (fields: Partial<RunResult>, losses: readonly number[]): RunResult => ({
  key: `${fields.role ?? "arm"}/${fields.kappa ?? 1}/${fields.seed}`,
  role: "arm",
  arm: "standard",
  kappa: 1,
  learningRate: 0.1,
  seed: 0,
  orderSeed: null,
  reference: null,
  microBatchSize: 8,
  stateHash: "a",
  divergedAt: null,
  noise: null,
  seconds: 2,
  evaluations: losses.map((loss, i) => ({ samples: 100 * i, loss, accuracy: 0 })),
  ...fields,
});

const RESULTS: readonly RunResult[] = [
  run({ role: "reference", seed: 0 }, [4, 2, 1]),
  run({ role: "reference", seed: 1 }, [4, 1, 0.5]),
  run({ role: "repeat", seed: 0, reference: "reference/1/0" }, [4, 2, 1]),
  run({ role: "order", seed: 0, reference: "reference/1/0" }, [4, 2.5, 1]),
  run({ role: "order", seed: 1, reference: "reference/1/1" }, [4, 1, 0.75]),
  run({ kappa: 4, seed: 0, reference: "reference/1/0", noise: { trace: 300, squaredGradient: 1 } }, [4, 3, 1]),
  run({ kappa: 4, seed: 1, reference: "reference/1/1", noise: { trace: 100, squaredGradient: 3 } }, [4, 1, 0.625]),
  run({ kappa: 8, seed: 0, reference: "reference/1/0" }, [4, 2, 1]),
  run({ kappa: 8, seed: 1, reference: "reference/1/1", divergedAt: 20, stateHash: null }, [4, 9]),
];

describe("summarize()", () => {
  const { cells, floors, runs, seconds } = summarize(RESULTS);
  const [four, eight] = cells;

  it("takes the mean over the seeds of each seed's own largest gap", () => {
    // Seed 0: (3 − 2)/2 = 0.5 at its worst, 0 at the end; seed 1: (0.625 − 0.5)/0.5 = 0.25, at the end.
    assert.deepEqual(four.gap, { mean: 0.375, least: 0.25, most: 0.5 });
    assert.equal(four.signedGap, 0.375);
    assert.equal(four.absoluteGap, (1 + 0.125) / 2);
    assert.equal(four.endGap, 0.125);
    assert.equal(four.endLoss, (1 + 0.625) / 2);
  });

  it("averages the parts of the noise before it divides them", () => {
    assert.equal(four.noiseScale, 200 / 2);
    assert.equal(four.signalToNoise, (2 * 8) / 200);
    assert.equal(eight.noiseScale, null);
  });

  it("gives no gap where a seed diverged, and says how many did", () => {
    assert.deepEqual([eight.gap, eight.endLoss, eight.diverged, eight.seeds], [null, null, 1, 2]);
  });

  it("measures the floors as it does the arms", () => {
    // Seed 0: 0.5/2; seed 1: 0.25/0.5.
    const order = { mean: 0.375, least: 0.25, most: 0.5 };
    assert.deepEqual(floors, [{ learningRate: 0.1, repeat: 0, repeatSameBits: true, order }]);
  });

  it("sees bits that differ behind losses that agree", () => {
    const results = RESULTS.map((result) => (result.role === "repeat" ? { ...result, stateHash: "b" } : result));
    assert.equal(summarize(results).floors[0].repeatSameBits, false);
  });

  it("counts runs and their time", () => {
    assert.deepEqual([runs, seconds], [9, 18]);
  });
});

describe("meanCurves()", () => {
  it("has the mean losses of each arm and κ, without those that diverged", () => {
    const curves = meanCurves(RESULTS).map(({ kappa, losses }) => ({ kappa, losses }));
    assert.deepEqual(curves, [
      { kappa: 1, losses: [4, 1.5, 0.75] },
      { kappa: 4, losses: [4, 2, 0.8125] },
    ]);
  });
});
