import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { createKernelMemory, instantiateKernels } from "../kernels/index.js";
import { createRandom } from "../random.js";
import {
  type Hyperparameters,
  leafCoefficients,
  type OptimizerSpec,
  optimizerTitle,
  type Schedule,
  stepCoefficients,
} from "./index.js";
import { INVARIANT, LINEAR, OPTIMIZERS, PATHWISE, STANDARD } from "./optimizers.test.helper.js";

// The scaling rules and the kernels together: what a training step does to the weights.

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

interface TrainerOptions {
  readonly schedule?: Schedule;
  readonly reference?: Hyperparameters;
  readonly weights?: Float32Array;
}

/** Weights and moments in float32, moved by kernels. */
function createTrainer(optimizer: OptimizerSpec, options: TrainerOptions = {}) {
  const { schedule = constant, reference = hyperparameters, weights = start } = options;
  const { length } = weights;
  const memory = createKernelMemory(6 * BYTES);
  const kernels = instantiateKernels(memory);
  const [theta, m, v, s1, s2, g] = [0, 1, 2, 3, 4, 5].map((index) => index * BYTES);
  const view = (offset: number): Float32Array => new Float32Array(memory.buffer, offset, length);
  view(theta).set(weights);
  const state = { n: 0, c1: 0, c2: 0 };
  return {
    theta: view(theta),
    m: view(m),
    v: view(v),
    state,
    /** One step on the gradients of κ micro-batches. */
    step(gradients: Float32Array[]): void {
      const leaves = leafCoefficients(optimizer, reference, gradients.length);
      for (const [index, gradient] of gradients.entries()) {
        view(g).set(gradient);
        const [w1, w2] = leaves === undefined ? [1, 1] : [leaves.w1[index], leaves.w2[index]];
        if (index === 0) kernels.leaf(g, s1, s2, length, w1, w2);
        else kernels.addLeaf(g, s1, s2, length, w1, w2);
      }
      const { n, c1, c2 } = state;
      const window = { firstMicroBatch: n, microBatches: gradients.length, microBatchSize: 32, c1, c2 };
      const coefficients = stepCoefficients({ optimizer, hyperparameters: reference, schedule, ...window });
      kernels.adam(theta, m, v, s1, s2, length, coefficients);
      Object.assign(state, { n: n + gradients.length, c1: coefficients.c1, c2: coefficients.c2 });
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

/** What `python bench/peers/adamw.py` saw: AdamW of PyTorch, in float64, with warm-up and a cosine. */
const PYTORCH = JSON.parse(readFileSync(new URL("./adamw.test.json", import.meta.url), "utf8")) as Hyperparameters & {
  readonly steps: number;
  /** In steps. */
  readonly warmup: number;
  readonly start: number[];
  readonly gradients: number[][];
  readonly states: { step: number; theta: number[]; m: number[]; v: number[] }[];
};

function distanceMax(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i] - b[i]));
  return max;
}

function relativeDistanceMax(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i] - b[i]) / Math.abs(b[i]));
  return max;
}

const HALF_ULP = 2 ** -24;

describe("one micro-batch per step", () => {
  const warmup: Schedule = { kind: "cosine", warmupSamples: 320, totalSamples: 3200, finalFraction: 0 };
  const schedules: [name: string, schedule: Schedule, learningRateOf: (step: number) => number][] = [
    ["a constant learning rate", constant, () => 1e-2],
    ["warm-up and a cosine", warmup, (t) => 1e-2 * (t < 10 ? t / 10 : (1 + Math.cos((Math.PI * (t - 10)) / 90)) / 2)],
  ];
  for (const optimizer of OPTIMIZERS) {
    const title = optimizerTitle(optimizer);
    for (const [name, schedule, learningRateOf] of schedules) {
      it(`equals AdamW in float64 to float32 rounding over ${STEPS} steps (${title}; ${name})`, () => {
        const trainer = createTrainer(optimizer, { schedule });
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

    it(`equals PyTorch's AdamW to float32 rounding (${title})`, () => {
      const { steps, warmup, gradients, states, ...reference } = PYTORCH;
      const schedule = {
        kind: "cosine",
        warmupSamples: 32 * warmup,
        totalSamples: 32 * steps,
        finalFraction: 0,
      } as const;
      const trainer = createTrainer(optimizer, { schedule, reference, weights: Float32Array.from(reference.start) });
      let compared = 0;
      for (const [s, gradient] of gradients.entries()) {
        trainer.step([Float32Array.from(gradient)]);
        const expected = states.find(({ step }) => step === s + 1);
        if (expected === undefined) continue;
        compared += 1;
        // As above; the moments cancel where gradients do, so each is compared with the size of what it averages.
        const rounding = steps * (3 * HALF_ULP + 1e-2 * steps * HALF_ULP);
        assert.ok(distanceMax(trainer.theta, expected.theta) < rounding, `θ after step ${s + 1}`);
        assert.ok(relativeDistanceMax(trainer.v, expected.v) < 3 * steps * HALF_ULP, `v after step ${s + 1}`);
        const relative = trainer.m.map((m, i) => Math.abs(m - expected.m[i]) / Math.sqrt(expected.v[i]));
        assert.ok(Math.max(...relative) < 30 * steps * HALF_ULP, `m after step ${s + 1}`);
      }
      assert.equal(compared, states.length);
    });
  }
});

describe("identical micro-batches", () => {
  for (const optimizer of INVARIANT) {
    it(`give the v of standard Adam at the same Γ2 (${optimizerTitle(optimizer)})`, () => {
      const microBatches = 8;
      const { beta2 } = hyperparameters;
      const sameRate = optimizer === LINEAR ? 1 - microBatches * (1 - beta2) : beta2 ** microBatches;
      const invariant = createTrainer(optimizer);
      const standard = createTrainer(STANDARD, { reference: { ...hyperparameters, beta2: sameRate } });
      for (let s = 0; s < 20; s++) {
        const identical = Array<Float32Array>(microBatches).fill(drawGradient());
        invariant.step(identical);
        standard.step(identical);
      }
      assert.ok(relativeDistanceMax(invariant.v, standard.v) < 24 * HALF_ULP);
      assert.ok(standard.v.some((x) => x > 0.01));
    });
  }
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
    for (const optimizer of OPTIMIZERS.filter((one) => one !== PATHWISE)) {
      const [forward, backward] = [createTrainer(optimizer), createTrainer(optimizer)];
      for (let s = 0; s < 5; s++) {
        forward.step(gradients);
        backward.step(gradients.toReversed());
      }
      assert.ok(distanceMax(forward.m, backward.m) < 1e-6);
      assert.ok(distanceMax(forward.theta, backward.theta) < 1e-5);
    }
  });

  it("do not commute under the pathwise rule, which weighs the later ones more", () => {
    const [forward, backward] = [createTrainer(PATHWISE), createTrainer(PATHWISE)];
    forward.step(gradients);
    backward.step(gradients.toReversed());
    assert.ok(distanceMax(forward.m, backward.m) > 1e-3);
  });
});

describe("a step of κ micro-batches", () => {
  it("leaves the averages of κ single steps exactly under the pathwise rule, also while κ changes", () => {
    const pathwise = createTrainer(PATHWISE);
    const single = createAdamW(() => 1e-2);
    let largest = 0;
    for (const microBatches of [1, 7, 16, 3, 64, 2]) {
      const gradients = Array.from({ length: microBatches }, drawGradient);
      pathwise.step(gradients);
      for (const gradient of gradients) single.step(gradient);
      const { n, c1, c2 } = pathwise.state;
      // A sum's terms lose one rounding each at most, and gradients are up to 1 in size; m's may cancel, v's do not.
      assert.ok(distanceMax(pathwise.m, single.m) < (n + 3) * HALF_ULP);
      assert.ok(relativeDistanceMax(pathwise.v, single.v) < (n + 3) * HALF_ULP);
      assert.ok(Math.abs(c1 - (1 - hyperparameters.beta1 ** n)) < 1e-14);
      assert.ok(Math.abs(c2 - (1 - hyperparameters.beta2 ** n)) < 1e-14);
      largest = Math.max(largest, ...single.m.map(Math.abs));
    }
    assert.ok(largest > 0.1, "the averages are far larger than the errors allowed");
  });

  it("is κ single steps to first order: halving γ and η quarters the difference in m and v", () => {
    const gradients = Array.from({ length: 4 }, drawGradient);
    for (const rule of ["linear", "exponential"] as const) {
      const errors = [0.02, 0.01].map((gamma) => {
        const keep = (microBatches: number) =>
          stepCoefficients({
            optimizer: { name: "invariant", rule },
            hyperparameters: { ...hyperparameters, beta1: 1 - gamma },
            schedule: constant,
            microBatchSize: 32,
            firstMicroBatch: 0,
            microBatches,
            c1: 0,
            c2: 0,
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
