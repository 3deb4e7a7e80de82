import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { openBackend } from "../../backends/index.js";
import { correctCount, lossOf, sampleLossesOf } from "../../tasks/index.js";
import { type KerasLoss, numbers, readReference, sizeOf } from "./cases.js";
import { errorOf } from "./compare.js";

const { losses, batch } = readReference();

/** The arguments that reference.py gives the loss: outputs, labels and the mask. */
function given({ name, loss, shape }: KerasLoss): { outputs: tf.Tensor; labels: tf.Tensor; mask: tf.Tensor } {
  const rows = [batch, ...shape.slice(0, -1)];
  const all = [batch, ...shape];
  const drawn = numbers(`${name}/labels`, sizeOf(loss === "softmaxCrossEntropy" ? rows : all));
  const classes = shape[shape.length - 1];
  const labels =
    loss === "softmaxCrossEntropy"
      ? tf.tensor(
          Int32Array.from(drawn, (value) => Math.floor(((value + 1) / 2) * classes)),
          rows,
          "int32",
        )
      : tf.tensor(loss === "binaryCrossEntropy" ? drawn.map((value) => Number(value > 0)) : drawn, all);
  const there = numbers(`${name}/mask`, sizeOf(rows)).map((value) => Number(value > -0.3));
  return {
    outputs: tf.tensor(
      numbers(`${name}/outputs`, sizeOf(all)).map((value) => 3 * value),
      all,
    ),
    labels,
    mask: tf.tensor(there, rows),
  };
}

describe("the loss of outputs that have a mask", () => {
  for (const example of losses) {
    const { loss, shape, labelSmoothing } = example;
    it(`is Keras': ${loss} of [${shape}]${labelSmoothing > 0 ? ", smoothed" : ""}`, async () => {
      await openBackend("wasm");
      tf.tidy(() => {
        const { outputs, labels, mask } = given(example);
        const of = lossOf(loss, labelSmoothing);
        const { value, grad } = tf.valueAndGrad((x) => of(labels, x, mask))(outputs);
        const error = Math.abs((value.dataSync()[0] as number) - example.value);
        assert.ok(error <= 2e-6 * Math.max(1, example.value), `${value.dataSync()[0]}, not ${example.value}`);
        assert.ok(errorOf(grad.dataSync(), example.gradient, `${example.name}/gradient`) <= 2e-6);
      });
    });
  }

  it("is, for a sample, the mean over its unmasked steps, as is the accuracy", async () => {
    await openBackend("wasm");
    tf.tidy(() => {
      const outputs = tf.tensor([3, -1, 5, 1, 1, 2], [2, 3, 1]);
      const labels = tf.tensor([1, 1, 0, 1, 0, 0], [2, 3]);
      const mask = tf.tensor([1, 1, 0, 0, 0, 1], [2, 3]);
      const none = tf.zeros([2, 3]);
      const squares = sampleLossesOf("meanSquaredError");
      assert.deepEqual([...squares(labels, outputs, mask).dataSync()], [(4 + 4) / 2, 4]);
      assert.deepEqual([...squares(labels, outputs, none).dataSync()], [0, 0]);
      // In the first sample one of two is right, in the second none.
      assert.equal(correctCount("binaryCrossEntropy", labels, outputs, mask).dataSync()[0], 0.5);
      assert.equal(correctCount("binaryCrossEntropy", labels, outputs).dataSync()[0], Math.fround(2 / 3));
    });
  });
});
