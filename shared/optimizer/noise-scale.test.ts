import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "../random.js";
import { leafCoefficients, NO_NOISE, noiseParts, noiseScale, smoothNoise, weightSums } from "./index.js";

// Synthetic gradients with a known truth: a sample's gradient is normal with mean MU and standard deviation SIGMA per
// coordinate, so a micro-batch's has variance SIGMA²/b.
const MU = [0.5, -0.2, 0.1, 0];
const SIGMA = [1, 2, 0.5, 1.5];
const TRACE = SIGMA.reduce((sum, sigma) => sum + sigma ** 2, 0);
const SQUARED_GRADIENT = MU.reduce((sum, mu) => sum + mu ** 2, 0);

const random = createRandom(7);
function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** κ micro-batch gradients of b samples each, one row a micro-batch. */
function drawGradients(microBatches: number, microBatchSize: number): number[][] {
  return Array.from({ length: microBatches }, () =>
    MU.map((mu, i) => mu + (SIGMA[i] / Math.sqrt(microBatchSize)) * normal()),
  );
}

/** |S1|² and Σ S2 of the rows of `gradients`, weighed. */
function norms(gradients: number[][], w1: ArrayLike<number>, w2: ArrayLike<number>) {
  const coordinates = MU.map((_, i) => gradients.reduce((sum, g, n) => sum + w1[n] * g[i], 0));
  return {
    squaredNorm1: coordinates.reduce((sum, x) => sum + x * x, 0),
    sum2: gradients.reduce((sum, g, n) => sum + w2[n] * g.reduce((square, x) => square + x * x, 0), 0),
  };
}

describe("noiseParts()", () => {
  it("equals the sample variance between micro-batches, computed from each gradient", () => {
    const [microBatches, microBatchSize] = [6, 8];
    const gradients = drawGradients(microBatches, microBatchSize);
    const ones = new Float32Array(microBatches).fill(1);
    const mean = MU.map((_, i) => gradients.reduce((sum, g) => sum + g[i], 0) / microBatches);
    const variance =
      gradients.reduce((sum, g) => sum + g.reduce((square, x, i) => square + (x - mean[i]) ** 2, 0), 0) /
      (microBatches - 1);
    // |mean|² is too large by the variance of the mean.
    const squared = mean.reduce((sum, x) => sum + x * x, 0) - variance / microBatches;
    const parts = noiseParts({
      ...norms(gradients, ones, ones),
      microBatchSize,
      weights: weightSums(microBatches, undefined),
    });
    assert.ok(parts !== undefined);
    assert.ok(Math.abs(parts.trace / (microBatchSize * variance) - 1) < 1e-12);
    assert.ok(Math.abs(parts.squaredGradient / squared - 1) < 1e-12);
  });

  const betas = { learningRate: 1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 };
  for (const [name, weights] of [
    ["equal weights", undefined],
    ["the unequal weights of the pathwise rule", leafCoefficients({ name: "invariant", rule: "pathwise" }, betas, 5)],
  ] as const) {
    it(`is unbiased with ${name}, to four standard errors over 20,000 steps`, () => {
      const [microBatches, microBatchSize, steps] = [5, 4, 20_000];
      const ones = new Float32Array(microBatches).fill(1);
      const { w1, w2 } = weights ?? { w1: ones, w2: ones };
      const draws = Array.from({ length: steps }, () => {
        const gradients = drawGradients(microBatches, microBatchSize);
        return noiseParts({
          ...norms(gradients, w1, w2),
          microBatchSize,
          weights: weightSums(microBatches, weights),
        })!;
      });
      for (const [part, truth] of [
        ["trace", TRACE],
        ["squaredGradient", SQUARED_GRADIENT],
      ] as const) {
        const mean = draws.reduce((sum, draw) => sum + draw[part], 0) / steps;
        const deviation = Math.sqrt(draws.reduce((sum, draw) => sum + (draw[part] - mean) ** 2, 0) / (steps - 1));
        const error = deviation / Math.sqrt(steps);
        assert.ok(error < 0.01 * TRACE, `${part}: the standard error ${error} shows something`);
        assert.ok(Math.abs(mean - truth) < 4 * error, `${part} is ${mean} ± ${error}, true is ${truth}`);
      }
      assert.ok(
        draws.some(({ squaredGradient }) => squaredGradient < 0),
        "some step's |G|² is negative and not clamped",
      );
    });
  }

  it("is undefined with one micro-batch", () => {
    const weights = weightSums(1, undefined);
    assert.equal(noiseParts({ squaredNorm1: 1, sum2: 1, microBatchSize: 8, weights }), undefined);
  });
});

describe("smoothNoise()", () => {
  const [low, high] = [
    { trace: 10, squaredGradient: -1 },
    { trace: 30, squaredGradient: 4 },
  ];

  it("gives the first step's estimates whole", () => {
    assert.deepEqual(smoothNoise(NO_NOISE, low, 0.01), { ...low, weight: 0.01 });
  });

  it("averages both parts apart, each step weighing (1 − rate) times the next", () => {
    const smoothed = smoothNoise(smoothNoise(NO_NOISE, low, 0.5), high, 0.5);
    assert.ok(Math.abs(smoothed.trace - (10 + 2 * 30) / 3) < 1e-14);
    assert.ok(Math.abs(smoothed.squaredGradient - (-1 + 2 * 4) / 3) < 1e-14);
    assert.ok(Math.abs(noiseScale(smoothed)! - 10) < 1e-14);
  });
});

describe("noiseScale()", () => {
  it("is not resolved while the average of |G|² or of the trace is not positive", () => {
    assert.equal(noiseScale(NO_NOISE), undefined);
    assert.equal(noiseScale({ trace: 10, squaredGradient: -1 }), undefined);
    assert.equal(noiseScale({ trace: -1, squaredGradient: 1 }), undefined);
    assert.equal(noiseScale({ trace: 10, squaredGradient: 4 }), 2.5);
  });
});
