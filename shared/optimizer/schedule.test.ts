import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../errors.js";
import { checkSchedule, learningRateAt, type Schedule, stepCoefficients } from "./index.js";

const constant: Schedule = { kind: "constant", warmupSamples: 0, totalSamples: 0, finalFraction: 1 };
const linear: Schedule = { kind: "linear", warmupSamples: 100, totalSamples: 1100, finalFraction: 0.1 };
const cosine: Schedule = { ...linear, kind: "cosine" };
const hyperparameters = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

describe("learningRateAt()", () => {
  const cases: [name: string, schedule: Schedule, samples: number, expected: number][] = [
    ["a constant schedule is constant", constant, 12_345, 2],
    ["warm-up starts at 0", linear, 0, 0],
    ["warm-up is linear", { ...constant, warmupSamples: 100 }, 25, 0.5],
    ["warm-up ends at the learning rate", cosine, 100, 2],
    ["linear is half way down half way", linear, 600, 1.1],
    ["cosine is half way down half way", cosine, 600, 1.1],
    ["cosine has come down by (1 − cos 60°)/2 at a third", cosine, 100 + 1000 / 3, 2 * (0.1 + 0.9 * 0.75)],
    ["linear ends at the final fraction", linear, 1100, 0.2],
    ["cosine stays there", cosine, 5000, 0.2],
    [
      "before it was stretched, it was what it was",
      { ...cosine, earlier: [{ untilSamples: 700, totalSamples: 900 }] },
      500,
      1.1,
    ],
    ["after that it is what it is now", { ...cosine, earlier: [{ untilSamples: 600, totalSamples: 900 }] }, 600, 1.1],
    [
      "each end counts up to its own samples",
      {
        ...linear,
        earlier: [
          { untilSamples: 300, totalSamples: 400 },
          { untilSamples: 500, totalSamples: 800 },
        ],
      },
      450,
      1.1,
    ],
  ];
  for (const [name, schedule, samples, expected] of cases) {
    it(name, () => assert.ok(Math.abs(learningRateAt(schedule, 2, samples) - expected) < 1e-14));
  }
});

describe("a step's learning rate", () => {
  const window = { hyperparameters, microBatchSize: 10, c1: 0, c2: 0 };
  const invariant = { name: "invariant", rule: "exponential" } as const;
  const rateOf = (schedule: Schedule, firstMicroBatch: number, microBatches: number): number =>
    stepCoefficients({ ...window, optimizer: invariant, schedule, firstMicroBatch, microBatches }).learningRate;
  const near = (actual: number, expected: number): void =>
    assert.ok(Math.abs(actual / expected - 1) < 1e-13, `${actual}, not ${expected}`);

  it("is κ·η on a constant schedule", () => near(rateOf(constant, 3, 7), 0.07));
  it("is the sum over the step's micro-batches in warm-up, not κ times the rate at its start", () => {
    // Micro-batches 2, 3, 4, 5 start at samples 20 … 50 of 100.
    near(rateOf(linear, 2, 4), 0.01 * (0.2 + 0.3 + 0.4 + 0.5));
  });
  it("is the arithmetic series of a linear schedule", () => {
    const at = (samples: number): number => 0.01 * (1 - (0.9 * (samples - 100)) / 1000);
    near(rateOf(linear, 20, 16), (16 * (at(200) + at(350))) / 2);
  });
  it("is the closed form of a sum of cosines", () => {
    // Σ cos(a + j·d), j = 0 … κ−1, is sin(κd/2)/sin(d/2) · cos(a + (κ−1)d/2).
    const [a, d, microBatches] = [(Math.PI * 100) / 1000, (Math.PI * 10) / 1000, 16];
    const cosines = (Math.sin((microBatches * d) / 2) / Math.sin(d / 2)) * Math.cos(a + ((microBatches - 1) * d) / 2);
    near(rateOf(cosine, 20, microBatches), 0.01 * (microBatches * (0.1 + 0.45) + 0.45 * cosines));
  });
  it("adds up to the same over the run however it is cut into steps", () => {
    const total = (cuts: number[]): number => {
      let first = 0;
      return cuts.reduce((sum, microBatches) => {
        const rate = rateOf(cosine, first, microBatches);
        first += microBatches;
        return sum + rate;
      }, 0);
    };
    near(total([64, 32, 1, 13]), total(Array<number>(110).fill(1)));
  });
  it("is the mean of its micro-batches' for standard Adam", () => {
    const { learningRate } = stepCoefficients({
      ...window,
      optimizer: { name: "standard" },
      schedule: linear,
      firstMicroBatch: 2,
      microBatches: 4,
    });
    near(learningRate, 0.0035);
  });
});

describe("checkSchedule()", () => {
  const cases: [change: Partial<Schedule>, message: RegExp][] = [
    [{ warmupSamples: -1 }, /^schedule\.warmupSamples is -1; /],
    [{ warmupSamples: Number.NaN }, /^schedule\.warmupSamples is NaN; /],
    [{ totalSamples: 100 }, /^schedule\.totalSamples is 100; it must be more than schedule\.warmupSamples, .* 100\.$/],
    [{ finalFraction: 1.5 }, /^schedule\.finalFraction is 1\.5; it must be between 0 and 1\.$/],
  ];
  for (const [change, message] of cases) {
    it(`refuses ${JSON.stringify(change)}`, () =>
      assert.throws(
        () => checkSchedule({ ...linear, ...change }),
        (error) => {
          assert.ok(error instanceof IsobatchError);
          assert.match(error.message, message);
          return true;
        },
      ));
  }
  it("accepts what is in range", () => {
    for (const schedule of [constant, linear, cosine]) checkSchedule(schedule);
  });
});
