import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { NonFiniteError } from "../errors.js";
import { batchOf, openGradients } from "./open-gradients.test.helper.js";

const DENSE = [
  { layer: "Dense", units: 5, inputShape: [4], activation: "tanh" },
  { layer: "Dense", units: 3 },
];
const NORMALISED = [
  { layer: "Dense", units: 6, inputShape: [4] },
  { layer: "BatchNormalization", momentum: 0.9, name: "norm" },
  { layer: "Dropout", rate: 0.4 },
  { layer: "Dense", units: 3 },
];

/** The largest difference of two vectors, as a share of the largest element. */
function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let [largest, scale] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i] - b[i]));
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return largest / scale;
}

const normOf = (g: ArrayLike<number>): number => Math.sqrt(Array.from(g).reduce((sum, x) => sum + x * x, 0));

describe("gradient()", () => {
  it("is the slope of the loss, in every parameter", async () => {
    const { gradientOf, setWeights, initialWeights, layout } = await openGradients({ layers: DENSE });
    const { g } = gradientOf(batchOf(0));
    const width = 2 ** -7;
    const slopes = Array.from({ length: layout.parameters }, (_, i) => {
      const lossAt = (change: number): number => {
        const theta = initialWeights.slice();
        theta[i] += change;
        setWeights(theta);
        return gradientOf(batchOf(0)).loss;
      };
      return (lossAt(width) - lossAt(-width)) / (2 * width);
    });
    assert.ok(differenceOf(g, slopes) < 1e-3);
  });

  it("depends on the micro-batch's number and samples, and on nothing that was computed before", async () => {
    const { gradientOf } = await openGradients({ layers: NORMALISED });
    const first = gradientOf(batchOf(7));
    const other = gradientOf({ ...batchOf(7), number: 8 });
    gradientOf(batchOf(2));
    assert.deepEqual(gradientOf(batchOf(7)), first);
    assert.notDeepEqual(other.g, first.g, "another number means another dropout");
  });

  it("drops out differently under another seed", async () => {
    const [one, two] = [
      await openGradients({ layers: NORMALISED, task: { seed: 1 } }),
      await openGradients({ layers: NORMALISED, task: { seed: 2 } }),
    ];
    assert.notDeepEqual(one.gradientOf(batchOf(0)).g, two.gradientOf(batchOf(0)).g);
  });

  it("leaves the batch's mean and variance of a BatchNorm in the tail", async () => {
    const { gradientOf, initialWeights, layout } = await openGradients({ layers: NORMALISED });
    const { g } = gradientOf(batchOf(3));
    const inputs = new Float32Array(batchOf(3).inputs.buffer);
    const kernel = initialWeights.subarray(layout.tensors.find(({ name }) => name.endsWith("kernel"))?.offset);
    for (let unit = 0; unit < 6; unit++) {
      const outputs = Array.from({ length: 8 }, (_, sample) =>
        [0, 1, 2, 3].reduce((sum, i) => sum + inputs[sample * 4 + i] * kernel[i * 6 + unit], 0),
      );
      const mean = outputs.reduce((sum, x) => sum + x, 0) / 8;
      const variance = outputs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 8;
      assert.ok(Math.abs(g[layout.parameters + unit] - mean) < 1e-6);
      assert.ok(Math.abs(g[layout.parameters + 6 + unit] - variance) < 1e-6);
    }
  });

  it("normalises by a frozen BatchNorm's moving statistics, which have no gradient", async () => {
    const { gradientOf, gradients, setWeights, initialWeights, layout } = await openGradients({
      layers: [NORMALISED[0], NORMALISED[1], NORMALISED[3]],
      freeze: ["norm"],
    });
    assert.deepEqual([layout.tail, layout.frozen], [0, 4 * 6]);
    assert.ok(Math.abs(gradientOf(batchOf(0)).loss - gradients.evaluate(batchOf(0)).lossSum / 8) < 1e-6);
    const before = gradientOf(batchOf(0)).g;
    assert.equal(before.length, layout.parameters);
    setWeights(initialWeights.map((x, i) => (i >= layout.parameters ? x + 0.5 : x)));
    assert.notDeepEqual(gradientOf(batchOf(0)).g, before);
  });

  it("adds a regulariser's loss and gradient", async () => {
    const regularised = [
      { ...DENSE[0], kernelRegularizer: { className: "L1L2", config: { l1: 0, l2: 0.25 } } },
      DENSE[1],
    ];
    const [plain, penalised] = [await openGradients({ layers: DENSE }), await openGradients({ layers: regularised })];
    const [a, b] = [plain.gradientOf(batchOf(0)), penalised.gradientOf(batchOf(0))];
    const { offset, length } = plain.layout.tensors[0];
    const kernel = plain.initialWeights.subarray(offset, offset + length);
    assert.deepEqual(penalised.initialWeights, plain.initialWeights);
    assert.ok(Math.abs(b.loss - a.loss - 0.25 * normOf(kernel) ** 2) < 1e-6);
    const penalty = b.g.subarray(offset, offset + length).map((x, i) => x - a.g[offset + i]);
    assert.ok(
      differenceOf(
        penalty,
        kernel.map((x) => 0.5 * x),
      ) < 1e-5,
    );
  });

  it("is clipped to the norm that the task allows, the tail left alone, and not where it is shorter", async () => {
    const [free, clipped, loose] = [
      await openGradients({ layers: NORMALISED }),
      await openGradients({ layers: NORMALISED, task: { clipNorm: 0.01 } }),
      await openGradients({ layers: NORMALISED, task: { clipNorm: 1000 } }),
    ];
    const [g, short, same] = [free, clipped, loose].map(({ gradientOf }) => gradientOf(batchOf(1)).g);
    const { parameters } = free.layout;
    const norm = normOf(g.subarray(0, parameters));
    assert.ok(norm > 0.01 && norm < 1000);
    const factor = Math.fround(0.01 / norm);
    assert.ok(
      differenceOf(
        short.subarray(0, parameters),
        g.subarray(0, parameters).map((x) => x * factor),
      ) < 1e-6,
    );
    assert.deepEqual(short.subarray(parameters), g.subarray(parameters));
    assert.deepEqual(same, g);
  });

  it("of nothing but zeros stays so, whatever norm is allowed", async () => {
    const layers = [{ layer: "Dense", units: 3, useBias: false, inputShape: [4] }];
    const { gradientOf } = await openGradients({ layers, task: { clipNorm: 1e-30 } });
    const batch = batchOf(0);
    const { loss, g } = gradientOf({ ...batch, inputs: new Uint8Array(batch.inputs.length) });
    assert.ok(Math.abs(loss - Math.log(3)) < 1e-6);
    assert.ok(g.every((element) => element === 0));
  });

  it("has the same bits where tensors lie in several segments", async () => {
    const whole = await openGradients({ layers: NORMALISED, task: { clipNorm: 0.01 } });
    const cut = await openGradients({ layers: NORMALISED, task: { clipNorm: 0.01 }, cuts: [10, 16, 60, 70] });
    assert.deepEqual(cut.gradientOf(batchOf(2)), whole.gradientOf(batchOf(2)));
  });

  it("names the micro-batch whose loss or gradient is not finite", async () => {
    const { gradientOf, setWeights, initialWeights } = await openGradients({ layers: DENSE });
    const isOf17 = (error: unknown): boolean => error instanceof NonFiniteError && error.microBatch === 17;
    setWeights(initialWeights.map((x, i) => (i === 3 ? Number.NaN : x)));
    assert.throws(() => gradientOf(batchOf(17)), isOf17);
    setWeights(initialWeights);
    const batch = batchOf(17);
    new Float32Array(batch.inputs.buffer)[5] = Number.POSITIVE_INFINITY;
    assert.throws(() => gradientOf(batch), isOf17);
    assert.ok(Number.isFinite(gradientOf(batchOf(18)).loss), "and continues");
  });

  it("differs in one bit where a test flips it", async () => {
    const [plain, flipped] = [
      await openGradients({ layers: DENSE }),
      await openGradients({ layers: DENSE, flip: { microBatch: 4, element: 12 }, cuts: [9] }),
    ];
    assert.deepEqual(flipped.gradientOf(batchOf(3)), plain.gradientOf(batchOf(3)));
    const [a, b] = [plain.gradientOf(batchOf(4)).g, flipped.gradientOf(batchOf(4)).g];
    const bits = (g: Float32Array): Uint32Array => new Uint32Array(g.buffer);
    const changed = [...bits(a)].flatMap((word, i) => (word === bits(b)[i] ? [] : [{ i, by: word ^ bits(b)[i] }]));
    assert.deepEqual(changed, [{ i: 12, by: 1 << 22 }]);
  });

  it("leaks no tensor", async () => {
    const { gradientOf, gradients, setWeights, initialWeights } = await openGradients({ layers: NORMALISED });
    const once = (n: number): void => {
      setWeights(initialWeights);
      gradientOf(batchOf(n));
      gradients.evaluate(batchOf(n));
    };
    once(0);
    const { numTensors, numDataBuffers } = tf.memory();
    for (let n = 1; n < 200; n++) once(n);
    assert.deepEqual([tf.memory().numTensors, tf.memory().numDataBuffers], [numTensors, numDataBuffers]);
    gradients.dispose();
  });
});

describe("evaluate()", () => {
  it("normalises by the tail of the weights, regardless of what was computed before", async () => {
    const { gradients, gradientOf, setWeights, initialWeights, layout } = await openGradients({ layers: NORMALISED });
    const fresh = gradients.evaluate(batchOf(0));
    gradientOf(batchOf(1));
    assert.deepEqual(gradients.evaluate(batchOf(0)), fresh);
    setWeights(initialWeights.map((x, i) => (i >= layout.parameters ? x + 0.5 : x)));
    assert.notDeepEqual(gradients.evaluate(batchOf(0)), fresh);
  });

  it("sums the loss over samples, and counts the right ones", async () => {
    const { gradients, gradientOf, setWeights, layout } = await openGradients({ layers: DENSE });
    // Only the last bias is not zero: the class 2 has logit 1 for every sample.
    const theta = new Float32Array(layout.length);
    theta[layout.length - 1] = 1;
    setWeights(theta);
    const { lossSum, correct } = gradients.evaluate(batchOf(0, 9));
    assert.equal(correct, 3);
    assert.ok(Math.abs(lossSum - (9 * Math.log(2 + Math.E) - 3)) < 1e-5);
    assert.ok(Math.abs(gradientOf(batchOf(0, 9)).loss - lossSum / 9) < 1e-6);
  });
});
