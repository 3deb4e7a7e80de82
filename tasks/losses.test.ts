import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { correctCount, lossOf, regularisationOf, sampleLossesOf } from "./losses.js";
import { tensorflow } from "./models/index.js";
import type { Loss } from "./task.js";

/** The losses of rows of outputs as their definitions say, in float64. */
const reference: Record<Loss, (label: number[], output: number[]) => number> = {
  softmaxCrossEntropy: ([label], output) => {
    const total = output.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return -Math.log(Math.exp(output[label]) / total);
  },
  binaryCrossEntropy: (label, output) =>
    average(output.map((logit, i) => -Math.log(1 / (1 + Math.exp((1 - 2 * label[i]) * logit))))),
  meanSquaredError: (label, output) => average(output.map((value, i) => (value - label[i]) ** 2)),
};

const average = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const batches: Record<Loss, { labels: number[][]; outputs: number[][] }> = {
  softmaxCrossEntropy: {
    labels: [[2], [0], [1]],
    outputs: [
      [0.5, -1.25, 2],
      [-3, 0.125, 1],
      [0, 0, 0],
    ],
  },
  binaryCrossEntropy: {
    labels: [
      [1, 0],
      [0, 1],
      [1, 1],
    ],
    outputs: [
      [2, -0.5],
      [1.5, -3],
      [0.25, 4],
    ],
  },
  meanSquaredError: {
    labels: [
      [1, -2],
      [0.5, 3],
      [0, 0],
    ],
    outputs: [
      [1.5, -2],
      [0.25, 1],
      [-1, 4],
    ],
  },
};

function labelTensor(loss: Loss, labels: number[][]): tf.Tensor {
  return loss === "softmaxCrossEntropy" ? tf.tensor1d(labels.flat(), "int32") : tf.tensor2d(labels);
}

function close(actual: number, expected: number, tolerance = 2e-6): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);
}

before(() => tf.setBackend("cpu"));
let tensors = 0;
before(() => {
  tensors = tf.memory().numTensors;
});
after(() => assert.equal(tf.memory().numTensors, tensors, "tensors leaked"));

for (const loss of Object.keys(batches) as Loss[]) {
  describe(`lossOf("${loss}")`, () => {
    const { labels, outputs } = batches[loss];
    const losses = labels.map((label, i) => reference[loss](label, outputs[i]));

    it("is the mean of sampleLossesOf(), each sample's own", () => {
      tf.tidy(() => {
        close(lossOf(loss)(labelTensor(loss, labels), tf.tensor2d(outputs)).dataSync()[0], average(losses));
        const each = sampleLossesOf(loss)(labelTensor(loss, labels), tf.tensor2d(outputs)).dataSync();
        for (const [i, expected] of losses.entries()) close(each[i], expected);
      });
    });

    it("has the gradient that finite differences of the definition have", () => {
      const gradient = tf.tidy(() =>
        tf
          .grad((x) => lossOf(loss)(labelTensor(loss, labels), x))(tf.tensor2d(outputs))
          .arraySync(),
      ) as number[][];
      const step = 1e-6;
      outputs.forEach((row, i) => {
        row.forEach((_, j) => {
          const moved = (by: number): number =>
            reference[loss](
              labels[i],
              row.map((value, k) => (k === j ? value + by : value)),
            ) / outputs.length;
          close(gradient[i][j], (moved(step) - moved(-step)) / (2 * step));
        });
      });
    });
  });
}

describe("the cross-entropies of confident mistakes", () => {
  it("stay finite, with their full gradient", () => {
    tf.tidy(() => {
      const wrong = tf.tensor2d([[1e4, -1e4]]);
      const softmax = (x: tf.Tensor) => lossOf("softmaxCrossEntropy")(tf.tensor1d([1], "int32"), x);
      assert.equal(softmax(wrong).dataSync()[0], 2e4);
      assert.deepEqual([...tf.grad(softmax)(wrong).dataSync()], [1, -1]);
      const sigmoid = (x: tf.Tensor) => lossOf("binaryCrossEntropy")(tf.tensor1d([0, 1]), x);
      const far = tf.tensor2d([[1e4], [-1e4]]);
      assert.equal(sigmoid(far).dataSync()[0], 1e4);
      assert.deepEqual([...tf.grad(sigmoid)(far).dataSync()], [0.5, -0.5]);
    });
  });
});

describe("label smoothing", () => {
  const smoothing = 0.3;
  const { labels, outputs } = batches.softmaxCrossEntropy;
  /** By the definition: the cross-entropy of targets that give each class a share. */
  const smoothed = (rows: number[][]): number =>
    average(
      rows.map((output, row) => {
        const total = output.reduce((sum, logit) => sum + Math.exp(logit), 0);
        const target = output.map((_, c) => smoothing / 3 + (c === labels[row][0] ? 1 - smoothing : 0));
        return -output.reduce((sum, logit, c) => sum + target[c] * Math.log(Math.exp(logit) / total), 0);
      }),
    );
  const classes = () => tf.tensor1d(labels.flat(), "int32");

  it("spreads its share of the target over all classes, in the loss and in its gradient", () => {
    const loss = lossOf("softmaxCrossEntropy", smoothing);
    const { value, found } = tf.tidy(() => {
      const { value, grad } = tf.valueAndGrad((x) => loss(classes(), x))(tf.tensor2d(outputs));
      return { value: value.dataSync()[0], found: grad.dataSync() };
    });
    assert.ok(Math.abs(value - smoothed(outputs)) < 1e-6);
    outputs.flat().forEach((_, i) => {
      const moved = (step: number): number =>
        smoothed(outputs.map((output, row) => output.map((x, c) => (row * 3 + c === i ? x + step : x))));
      assert.ok(Math.abs(found[i] - (moved(1e-5) - moved(-1e-5)) / 2e-5) < 1e-6, `element ${i}`);
    });
  });

  it("does not change the loss that is evaluated", () => {
    const plain = average(outputs.map((output, row) => reference.softmaxCrossEntropy(labels[row], output)));
    const evaluated = tf.tidy(() => sampleLossesOf("softmaxCrossEntropy")(classes(), tf.tensor2d(outputs)).dataSync());
    assert.ok(Math.abs(average([...evaluated]) - plain) < 1e-6);
  });
});

describe("correctCount()", () => {
  it("counts classes by the largest logit, and binary labels by the logit's sign", () => {
    tf.tidy(() => {
      const classes = correctCount(
        "softmaxCrossEntropy",
        tf.tensor1d([2, 0, 1], "int32"),
        tf.tensor2d(batches.softmaxCrossEntropy.outputs),
      );
      assert.equal(classes.dataSync()[0], 1);
      const binary = correctCount(
        "binaryCrossEntropy",
        tf.tensor1d([1, 0, 1], "int32"),
        tf.tensor2d([[2], [-1], [-3]]),
      );
      assert.equal(binary.dataSync()[0], 2);
      assert.equal(correctCount("meanSquaredError", tf.tensor1d([1]), tf.tensor2d([[1]])).dataSync()[0], 0);
    });
  });

  it("counts the share of a sequence that is right", () => {
    tf.tidy(() => {
      const outputs = tf.tensor3d([[[0, 1], [1, 0]], [[0, 1], [0, 1]]]); // biome-ignore format: one sample a pair
      const count = correctCount(
        "softmaxCrossEntropy",
        tf.tensor2d(
          [
            [1, 1],
            [1, 1],
          ],
          [2, 2],
          "int32",
        ),
        outputs,
      );
      assert.equal(count.dataSync()[0], 1.5);
    });
  });
});

describe("regularisationOf()", () => {
  it("adds up what layers declare, and is undefined where none does", () => {
    const { layers, sequential, regularizers } = tensorflow;
    const plain = sequential({ layers: [layers.dense({ units: 1, inputShape: [2] })] });
    assert.equal(regularisationOf(plain), undefined);
    const kernelRegularizer = regularizers.l2({ l2: 0.5 });
    const ones = { kernelInitializer: "ones", kernelRegularizer, useBias: false } as const;
    const penalised = sequential({
      layers: [layers.dense({ units: 3, inputShape: [2], ...ones }), layers.dense({ units: 1, ...ones })],
    });
    assert.equal(
      tf.tidy(() => regularisationOf(penalised)?.().dataSync()[0]),
      0.5 * 6 + 0.5 * 3,
    );
    const { lstm, bidirectional } = layers;
    const inner = lstm({ units: 2, kernelInitializer: "ones", kernelRegularizer }) as never;
    const recurrent = sequential({ layers: [bidirectional({ layer: inner, mergeMode: "sum", inputShape: [3, 1] })] });
    assert.equal(
      tf.tidy(() => regularisationOf(recurrent)?.().dataSync()[0]),
      2 * (0.5 * 8),
    );
    recurrent.dispose();
    plain.dispose();
    penalised.dispose();
  });
});
