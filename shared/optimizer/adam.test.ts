import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createKernelMemory, instantiateKernels } from "../kernels/index.js";
import { createRandom } from "../random.js";
import { type Hyperparameters, type OptimizerSpec, type Schedule, stepCoefficients } from "./index.js";

// The scaling rules and the kernels together: what a training step does to the weights.

const LINEAR: OptimizerSpec = { name: "invariant", rule: "linear" };
const EXPONENTIAL: OptimizerSpec = { name: "invariant", rule: "exponential" };
const STANDARD: OptimizerSpec = { name: "standard" };

const LENGTH = 257;
const BYTES = 4 * LENGTH;
const STEPS = 100;
const constant: Schedule = { kind: "constant", warmupSamples: 0, totalSamples: 0, finalFraction: 1 };
const hyperparameters: Hyperparameters = {
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
};

const random = createRandom(3);
/** Gradients from 1e-6 to 1 in size, with a mean that is not 0. */
function drawGradient(): Float32Array {
  return Float32Array.from({ length: LENGTH }, (_, i) => 10 ** ((-6 * i) / LENGTH) * (random.next() - 0.3));
}
const start = Float32Array.from({ length: LENGTH }, () => 2 * random.next() - 1);

/** Weights and moments in float32, moved by kernels. */
function createTrainer(optimizer: OptimizerSpec, schedule = constant, reference = hyperparameters) {
  const memory = createKernelMemory(6 * BYTES);
  const kernels = instantiateKernels(memory);
  const [theta, m, v, s1, s2, g] = [0, 1, 2, 3, 4, 5].map((index) => index * BYTES);
  const view = (offset: number): Float32Array => new Float32Array(memory.buffer, offset, LENGTH);
  view(theta).set(start);
  let [n, c1, c2] = [0, 0, 0];
  return {
    theta: view(theta),
    m: view(m),
    v: view(v),
    /** One step on the gradients of κ micro-batches. */
    step(gradients: Float32Array[]): void {
      for (const [index, gradient] of gradients.entries()) {
        view(g).set(gradient);
        if (index === 0) kernels.leaf(g, s1, s2, LENGTH, 1, 1);
        else kernels.addLeaf(g, s1, s2, LENGTH, 1, 1);
      }
      const window = { firstMicroBatch: n, microBatches: gradients.length, microBatchSize: 32, c1, c2 };
      const coefficients = stepCoefficients({ optimizer, hyperparameters: reference, schedule, ...window });
      kernels.adam(theta, m, v, s1, s2, LENGTH, coefficients);
      n += gradients.length;
      ({ c1, c2 } = coefficients);
    },
  };
}

/** AdamW in float64 as PyTorch documents it (torch.optim.AdamW), written out. */
function createAdamW(learningRateOf: (step: number) => number) {
  const { beta1, beta2, epsilon, weightDecay } = hyperparameters;
  const theta = Float64Array.from(start);
  const m = new Float64Array(LENGTH);
  const v = new Float64Array(LENGTH);
  let t = 0;
  return {
    theta,
    m,
    v,
    step(g: Float32Array): void {
      const learningRate = learningRateOf(t);
      t++;
      for (let i = 0; i < LENGTH; i++) {
        theta[i] -= learningRate * weightDecay * theta[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2;
        const mHat = m[i] / (1 - beta1 ** t);
        const vHat = v[i] / (1 - beta2 ** t);
        theta[i] -= (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
      }
    },
  };
}

function distanceMax(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < LENGTH; i++) max = Math.max(max, Math.abs(a[i] - b[i]));
  return max;
}

function relativeDistanceMax(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < LENGTH; i++) max = Math.max(max, Math.abs(a[i] - b[i]) / Math.abs(b[i]));
  return max;
}

const HALF_ULP = 2 ** -24;

describe("one micro-batch per step", () => {
  const warmup: Schedule = { kind: "cosine", warmupSamples: 320, totalSamples: 3200, finalFraction: 0 };
  const schedules: [name: string, schedule: Schedule, learningRateOf: (step: number) => number][] = [
    ["a constant learning rate", constant, () => 1e-2],
    ["warm-up and a cosine", warmup, (t) => 1e-2 * (t < 10 ? t / 10 : (1 + Math.cos((Math.PI * (t - 10)) / 90)) / 2)],
  ];
  for (const optimizer of [LINEAR, EXPONENTIAL, STANDARD]) {
    for (const [name, schedule, learningRateOf] of schedules) {
      const title = optimizer.name === "standard" ? "standard" : `invariant, ${optimizer.rule}`;
      it(`equals AdamW in float64 to float32 rounding over ${STEPS} steps (${title}; ${name})`, () => {
        const trainer = createTrainer(optimizer, schedule);
        const adamW = createAdamW(learningRateOf);
        for (let s = 0; s < STEPS; s++) {
          const gradient = drawGradient();
          trainer.step([gradient]);
          adamW.step(gradient);
        }
        // A step rounds numbers of θ's size, |θ| < 2, once or twice. Its move, at most about the learning rate, has
        // the errors of the moments: three roundings a step, the rounded β among them, half of them from v's root.
        const rounding = STEPS * (3 * HALF_ULP + 1e-2 * STEPS * HALF_ULP);
        assert.ok(distanceMax(trainer.theta, adamW.theta) < rounding);
        assert.ok(relativeDistanceMax(trainer.v, adamW.v) < 3 * STEPS * HALF_ULP);
        assert.ok(distanceMax(adamW.theta, start) > 1000 * rounding, "the weights have moved far more than that");
      });
    }
  }
});

describe("identical micro-batches", () => {
  it("give the v of standard Adam at the same Γ2", () => {
    const microBatches = 8;
    const sameRate = { ...hyperparameters, beta2: 1 - microBatches * (1 - hyperparameters.beta2) };
    const invariant = createTrainer(LINEAR);
    const standard = createTrainer(STANDARD, constant, sameRate);
    for (let s = 0; s < 20; s++) {
      const identical = Array<Float32Array>(microBatches).fill(drawGradient());
      invariant.step(identical);
      standard.step(identical);
    }
    assert.ok(relativeDistanceMax(invariant.v, standard.v) < 24 * HALF_ULP);
    assert.ok(standard.v.some((x) => x > 0.01));
  });
});

describe("micro-batches that differ", () => {
  const gradients = Array.from({ length: 8 }, drawGradient);

  it("average their squares in v, where standard Adam squares their average", () => {
    const [invariant, standard] = [createTrainer(LINEAR), createTrainer(STANDARD)];
    invariant.step(gradients);
    standard.step(gradients);
    const meanOfSquares = Float64Array.from(start, (_, i) => gradients.reduce((sum, g) => sum + g[i] ** 2, 0) / 8);
    const squareOfMean = Float64Array.from(start, (_, i) => (gradients.reduce((sum, g) => sum + g[i], 0) / 8) ** 2);
    assert.ok(
      relativeDistanceMax(
        invariant.v,
        meanOfSquares.map((x) => x * 8 * (1 - hyperparameters.beta2)),
      ) < 1e-5,
    );
    // The sum itself may cancel, so its square is compared with the squares' size.
    const error = distanceMax(
      standard.v,
      squareOfMean.map((x) => x * (1 - hyperparameters.beta2)),
    );
    assert.ok(error < 1e-6 * (1 - hyperparameters.beta2));
  });

  it("may come in any order: only rounding changes", () => {
    for (const optimizer of [LINEAR, EXPONENTIAL, STANDARD]) {
      const [forward, backward] = [createTrainer(optimizer), createTrainer(optimizer)];
      for (let s = 0; s < 5; s++) {
        forward.step(gradients);
        backward.step(gradients.toReversed());
      }
      assert.ok(distanceMax(forward.m, backward.m) < 1e-6);
      assert.ok(distanceMax(forward.theta, backward.theta) < 1e-5);
    }
  });
});

describe("a step of κ micro-batches", () => {
  it("is κ single steps to first order: halving γ and η quarters the difference in m and v", () => {
    const gradients = Array.from({ length: 4 }, drawGradient);
    for (const rule of ["linear", "exponential"] as const) {
      const errors = [0.02, 0.01].map((gamma) => {
        const keep = (microBatches: number) =>
          stepCoefficients({
            optimizer: { name: "invariant", rule },
            hyperparameters: { ...hyperparameters, beta1: 1 - gamma },
            schedule: constant,
            ...{ microBatchSize: 32, firstMicroBatch: 0, microBatches, c1: 0, c2: 0 },
          });
        const [one, all] = [keep(1), keep(4)];
        const differences = Array.from({ length: LENGTH }, (_, i) => {
          const single = gradients.reduce((m, g) => one.mKeep * m + one.mAdd * g[i], 1);
          return single - (all.mKeep + all.mAdd * gradients.reduce((sum, g) => sum + g[i], 0));
        });
        return Math.max(...differences.map(Math.abs));
      });
      assert.ok(errors[0] < 0.02 ** 2 * 4 ** 2 && Math.abs(errors[0] / errors[1] - 4) < 0.2, `${rule}: ${errors}`);
    }
  });
});
