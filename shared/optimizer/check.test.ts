import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../errors.js";
import { checkOptimizer, type Hyperparameters, type OptimizerSpec } from "./index.js";
import { EXPONENTIAL, LIMITED, LINEAR, LINEAR_STANDARD, OPTIMIZERS, SQRT } from "./optimizers.test.helper.js";

const good: Hyperparameters = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

function refuses(optimizer: OptimizerSpec, changes: Partial<Hyperparameters>, microBatches: number, message: RegExp) {
  assert.throws(
    () => checkOptimizer(optimizer, { ...good, ...changes }, microBatches),
    (error) => {
      assert.ok(error instanceof IsobatchError);
      assert.equal(error.code, "invalid_input");
      assert.match(error.message, message);
      return true;
    },
  );
}

describe("checkOptimizer()", () => {
  it("refuses κ·(1 − β) over 1 under the linear rule, naming the largest κ and the rule without a limit", () => {
    refuses(LINEAR, {}, 11, /reaches 11, but the linear rule allows at most 10 with beta1 = 0\.9, /);
    refuses(LINEAR, {}, 11, /set optimizer\.rule to "exponential"/);
    refuses(LINEAR, { beta1: 0.5, beta2: 0.3 }, 2, /allows at most 1 with beta2 = 0\.3/);
    refuses(LINEAR, { beta1: 0.9, beta2: 0.5 }, 11, /allows at most 2 with beta2 = 0\.5/);
  });

  it("refuses it likewise for Adam with the square root or the linear rule", () => {
    refuses(SQRT, {}, 11, /reaches 11, but the optimizer "sqrt" allows at most 10 with beta1 = 0\.9, /);
    refuses(LINEAR_STANDARD, {}, 11, /set optimizer to \{"name": "invariant", "rule": "exponential"\}, which is valid/);
  });

  it("accepts the largest κ it names, whatever float64 makes of κ·(1 − β)", () => {
    for (const [beta1, microBatches] of [
      [0.9, 10],
      [0.8, 5],
      [0.99, 100],
      [0, 1],
    ] as const) {
      for (const optimizer of LIMITED) {
        checkOptimizer(optimizer, { ...good, beta1 }, microBatches);
        refuses(optimizer, { beta1 }, microBatches + 1, new RegExp(`allows at most ${microBatches} `));
      }
    }
  });

  it("accepts any κ under the exponential and pathwise rules and for unscaled Adam", () => {
    const unlimited = OPTIMIZERS.filter((optimizer) => !LIMITED.includes(optimizer));
    assert.equal(unlimited.length, 3);
    for (const optimizer of unlimited) checkOptimizer(optimizer, { ...good, beta1: 0 }, 4096);
  });

  it("refuses an epsilon that the square root rule makes too small at the largest κ", () => {
    checkOptimizer(SQRT, { ...good, epsilon: 2e-38 }, 1);
    refuses(
      SQRT,
      { epsilon: 2e-38 },
      4,
      /^epsilon is 2e-38; the optimizer reduces it to 1e-38 at 4 micro-batches per step/,
    );
  });

  const ranges: [changes: Partial<Hyperparameters>, message: RegExp][] = [
    [{ learningRate: 0 }, /^learningRate is 0; /],
    [{ learningRate: Number.NaN }, /^learningRate is NaN; /],
    [{ learningRate: Infinity }, /^learningRate is Infinity; /],
    [{ beta1: 1 }, /^beta1 is 1; it must be at least 0 and below 1\.$/],
    [{ beta2: -0.1 }, /^beta2 is -0\.1; /],
    [{ beta2: Number.NaN }, /^beta2 is NaN; /],
    [{ epsilon: 0 }, /^epsilon is 0; /],
    [{ epsilon: 1e-39 }, /^epsilon is 1e-39; /],
    [{ epsilon: 1e39 }, /^epsilon is 1e\+39; /],
    [{ weightDecay: -1 }, /^weightDecay is -1; /],
    [{ weightDecay: Infinity }, /^weightDecay is Infinity; /],
  ];
  for (const [changes, message] of ranges) {
    const [[name, value]] = Object.entries(changes);
    it(`refuses ${name} = ${value}`, () => {
      for (const optimizer of OPTIMIZERS) refuses(optimizer, changes, 1, message);
    });
  }

  it("refuses a weight decay that takes more than the whole weights in a step", () => {
    const message = /^weightDecay is 300; with learningRate 0\.001 and 4 micro-batches per step /;
    refuses(LINEAR, { weightDecay: 300 }, 4, message);
    checkOptimizer(EXPONENTIAL, { ...good, weightDecay: 300 }, 4);
    refuses(EXPONENTIAL, { weightDecay: 1001 }, 1, /^weightDecay is 1001; /);
  });
});
