import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type Hyperparameters,
  leafCoefficients,
  type OptimizerSpec,
  type Schedule,
  stepCoefficients,
} from "./index.js";
import {
  EXPONENTIAL,
  LINEAR,
  LINEAR_STANDARD,
  OPTIMIZERS,
  PATHWISE,
  SQRT,
  SQRT_KEPT,
  STANDARD,
} from "./optimizers.test.helper.js";

const hyperparameters: Hyperparameters = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.01,
};
const schedule: Schedule = { kind: "constant", warmupSamples: 0, totalSamples: 0, finalFraction: 1 };

interface Changes {
  readonly optimizer?: OptimizerSpec;
  readonly microBatches?: number;
  readonly firstMicroBatch?: number;
  readonly schedule?: Schedule;
  readonly hyperparameters?: Hyperparameters;
  readonly c1?: number;
  readonly c2?: number;
}
const step = (changes: Changes = {}) =>
  stepCoefficients({
    optimizer: LINEAR,
    hyperparameters,
    schedule,
    microBatchSize: 32,
    firstMicroBatch: 0,
    microBatches: 1,
    c1: 0,
    c2: 0,
    ...changes,
  });

function near(actual: number, expected: number, relative = 1e-13): void {
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual}, not ${expected}`);
}

describe("stepCoefficients()", () => {
  it("are the table's under the linear rule", () => {
    const k = step({ microBatches: 4 });
    near(k.gamma1, 0.4);
    near(k.gamma2, 0.04);
    near(k.mKeep, 0.6);
    near(k.vKeep, 0.96);
    near(k.mAdd, 0.1);
    near(k.vAdd, 0.01);
    near(k.learningRate, 4e-3);
    near(k.decay, 4e-5);
    assert.equal(k.squareOfSum, false);
    assert.equal(k.epsilon, 1e-8);
  });

  it("are the table's under the exponential rule", () => {
    const k = step({ optimizer: EXPONENTIAL, microBatches: 3 });
    near(k.mKeep, 0.9 * 0.9 * 0.9);
    near(k.vKeep, 0.99 * 0.99 * 0.99);
    near(k.mAdd, (1 - 0.729) / 3);
    near(k.vAdd, (1 - 0.970299) / 3);
    near(k.learningRate, 3e-3);
    near(k.decay, 1 - (1 - 1e-5) ** 3, 1e-10); // The expected value itself cancels.
    assert.equal(k.squareOfSum, false);
  });

  it("are the table's for standard Adam, which takes the square of the mean", () => {
    const k = step({ optimizer: STANDARD, microBatches: 4 });
    near(k.gamma1, 0.1);
    near(k.gamma2, 0.01);
    near(k.mAdd, 0.1 / 4);
    near(k.vAdd, 0.01 / 16);
    near(k.learningRate, 1e-3);
    near(k.decay, 1e-5);
    assert.equal(k.squareOfSum, true);
  });

  it("are the table's under the pathwise rule, whose leaf coefficients are what the averages gain", () => {
    const k = step({ optimizer: PATHWISE, microBatches: 3 });
    near(k.mKeep, 0.729);
    near(k.vKeep, 0.970299);
    assert.deepEqual([k.mAdd, k.vAdd, k.squareOfSum], [1, 1, false]);
    near(k.gamma1, 0.271);
    near(k.learningRate, 3e-3);
    near(k.decay, 1 - (1 - 1e-5) ** 3, 1e-10);
    const { w1, w2 } = leafCoefficients(PATHWISE, hyperparameters, 3)!;
    assert.deepEqual([...w1], [0.1 * 0.81, 0.1 * 0.9, 0.1].map(Math.fround));
    assert.deepEqual([...w2], [0.01 * 0.9801, 0.01 * 0.99, 0.01].map(Math.fround));
  });

  it("are the table's under the square root rule, which divides ε by √κ or keeps it", () => {
    for (const [optimizer, epsilon] of [
      [SQRT, 5e-9],
      [SQRT_KEPT, 1e-8],
    ] as const) {
      const k = step({ optimizer, microBatches: 4 });
      near(k.gamma1, 0.4);
      near(k.gamma2, 0.04);
      near(k.mAdd, 0.1);
      near(k.vAdd, 0.04 / 16);
      near(k.learningRate, 2e-3);
      near(k.decay, 2e-5);
      near(k.epsilon, epsilon);
      assert.equal(k.squareOfSum, true);
    }
  });

  it("take √κ times the mean of the micro-batches' learning rates under the square root rule", () => {
    const warmup: Schedule = { ...schedule, warmupSamples: 32 * 100 };
    const k = step({ optimizer: SQRT, schedule: warmup, firstMicroBatch: 10, microBatches: 4 });
    near(k.learningRate, 2 * 1e-3 * 0.115);
    near(k.decay, 2 * 1e-5 * 0.115);
  });

  it("are the table's for Adam with the linear rule", () => {
    const k = step({ optimizer: LINEAR_STANDARD, microBatches: 4 });
    near(k.gamma1, 0.4);
    near(k.gamma2, 0.04);
    near(k.mAdd, 0.1);
    near(k.vAdd, 0.04 / 16);
    near(k.learningRate, 4e-3);
    near(k.decay, 4e-5);
    assert.deepEqual([k.epsilon, k.squareOfSum], [1e-8, true]);
  });

  it("are the same for every optimizer at one micro-batch, but for whose square it is and where γ is multiplied", () => {
    const [first, ...others] = OPTIMIZERS.map((optimizer) => {
      const leaves = leafCoefficients(optimizer, hyperparameters, 1);
      const k = step({ optimizer, c1: 0.3, c2: 0.2 });
      return { ...k, inM: k.mAdd * (leaves?.w1[0] ?? 1), inV: k.vAdd * (leaves?.w2[0] ?? 1) };
    });
    for (const k of others) {
      for (const name of ["mKeep", "vKeep", "stepSize", "vScale", "epsilon", "decay", "c1", "c2"] as const) {
        near(k[name], first[name], 1e-14);
      }
      near(k.inM, first.inM, 2 ** -24);
      near(k.inV, first.inV, 2 ** -24);
    }
  });

  it("exponential is linear to first order: the difference falls with the square of κγ", () => {
    for (const gamma of [1e-2, 1e-3, 1e-4]) {
      const near1 = { ...hyperparameters, beta1: 1 - gamma };
      const [a, b] = [LINEAR, EXPONENTIAL].map((optimizer) =>
        step({ optimizer, hyperparameters: near1, microBatches: 8 }),
      );
      const kappaGamma = 8 * gamma;
      const difference = a.gamma1 - b.gamma1;
      // 1 − (1−γ)^κ = κγ − κ(κ−1)/2·γ² + …
      assert.ok(difference > 0.4 * kappaGamma ** 2 && difference < 0.5 * kappaGamma ** 2);
    }
  });

  it("a step under the exponential rule decays and averages like its micro-batches one by one", () => {
    const warmup: Schedule = { ...schedule, warmupSamples: 32 * 20 };
    const strong = { ...hyperparameters, learningRate: 0.1, weightDecay: 0.5 };
    let [kept, mKept, vKept] = [1, 1, 1];
    for (let n = 5; n < 12; n++) {
      const k = step({ optimizer: EXPONENTIAL, hyperparameters: strong, schedule: warmup, firstMicroBatch: n });
      kept *= 1 - k.decay;
      mKept *= k.mKeep;
      vKept *= k.vKeep;
    }
    const window = { firstMicroBatch: 5, microBatches: 7 };
    const whole = step({ optimizer: EXPONENTIAL, hyperparameters: strong, schedule: warmup, ...window });
    near(1 - whole.decay, kept);
    near(whole.mKeep, mKept);
    near(whole.vKeep, vKept);
  });

  it("keep a weight decay that float64's 1 − x would round away", () => {
    const tiny = { ...hyperparameters, learningRate: 1e-12, weightDecay: 1e-8 };
    near(step({ optimizer: EXPONENTIAL, hyperparameters: tiny, microBatches: 5 }).decay, 5e-20);
  });

  it("no weight decay is exactly 0 under every optimizer", () => {
    const none = { ...hyperparameters, weightDecay: 0 };
    for (const optimizer of OPTIMIZERS) {
      assert.equal(step({ optimizer, hyperparameters: none, microBatches: 5 }).decay, 0);
    }
  });

  it("clamps κ·(1 − β), which rounding may leave a little over 1", () => {
    for (const [beta1, microBatches] of [
      [0.9, 10],
      [0.99, 100],
      [0.8, 5],
    ] as const) {
      const k = step({ hyperparameters: { ...hyperparameters, beta1 }, microBatches });
      assert.ok(k.mKeep >= 0 && k.mKeep < 1e-12 && k.gamma1 <= 1);
    }
  });

  it("has leaf coefficients only under the pathwise rule", () => {
    const weighted = OPTIMIZERS.filter((optimizer) => leafCoefficients(optimizer, hyperparameters, 8) !== undefined);
    assert.deepEqual(weighted, [PATHWISE]);
  });

  it("keeps only the last gradient under the pathwise rule with β = 0", () => {
    const none = { ...hyperparameters, beta1: 0 };
    assert.deepEqual([...leafCoefficients(PATHWISE, none, 3)!.w1], [0, 0, 1]);
    assert.equal(step({ optimizer: PATHWISE, hyperparameters: none, microBatches: 3 }).mKeep, 0);
  });
});

describe("the bias corrections c1 and c2", () => {
  it("are 1 − (1−Γ)^s after s steps at a constant κ", () => {
    for (const optimizer of OPTIMIZERS) {
      let k = step({ optimizer, microBatches: 6 });
      for (let s = 2; s <= 50; s++) k = step({ optimizer, microBatches: 6, c1: k.c1, c2: k.c2 });
      near(k.c1, 1 - (1 - k.gamma1) ** 50, 1e-12);
      near(k.c2, 1 - (1 - k.gamma2) ** 50, 1e-12);
      near(k.vScale, 1 / k.c2);
      near(k.stepSize, k.learningRate / k.c1);
    }
  });

  it("are the total weight of all micro-batches in the averages, also while κ changes", () => {
    const steps = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 30, size: "max" });
    fc.assert(
      fc.property(steps, fc.constantFrom(...OPTIMIZERS), (kappas, optimizer) => {
        // One number a micro-batch so far: what its gradient is multiplied by in m, and its square in v.
        let [inM, inV]: [number[], number[]] = [[], []];
        let [c1, c2] = [0, 0];
        for (const microBatches of kappas) {
          const k = step({ optimizer, microBatches, c1, c2 });
          // The square of a sum of κ equal gradients is κ² squares: κ to each.
          const square = k.squareOfSum ? k.vAdd * microBatches : k.vAdd;
          const ones = new Float32Array(microBatches).fill(1);
          const { w1, w2 } = leafCoefficients(optimizer, hyperparameters, microBatches) ?? { w1: ones, w2: ones };
          inM = [...inM.map((weight) => weight * k.mKeep), ...Array.from(w1, (w) => w * k.mAdd)];
          inV = [...inV.map((weight) => weight * k.vKeep), ...Array.from(w2, (w) => w * square)];
          [c1, c2] = [k.c1, k.c2];
        }
        near(
          c1,
          inM.reduce((sum, weight) => sum + weight, 0),
          optimizer === PATHWISE ? 2 ** -24 : 1e-12, // Its leaf coefficients are float32.
        );
        near(
          c2,
          inV.reduce((sum, weight) => sum + weight, 0),
          optimizer === PATHWISE ? 2 ** -24 : 1e-12,
        );
      }),
      { numRuns: 100 },
    );
  });
});
