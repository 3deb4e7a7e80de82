import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { openBackend } from "./index.js";

/** Two branches, of which one has a mask, and a model inside that is called with the mask and without. */
function branches() {
  const x = input({ shape: [4], dtype: "int32" });
  const inside = input({ shape: [4, 3] });
  const shared = model({
    inputs: inside,
    outputs: layers.lstm({ units: 2 }).apply(layers.dense({ units: 3 }).apply(inside)) as SymbolicTensor,
  });
  const outputs = [true, false].map((maskZero) => {
    const words = layers.embedding({ inputDim: 4, outputDim: 3, maskZero }).apply(x) as SymbolicTensor;
    return shared.apply(words) as SymbolicTensor;
  });
  return model({ inputs: x, outputs: layers.concatenate().apply(outputs) as SymbolicTensor });
}

describe("a model's call", () => {
  const tokens = (): tf.Tensor => tf.tensor([1, 2, 0, 0, 3, 0, 2, 1], [2, 4], "int32");

  it("computes the same in evaluation as in training, and leaves no tensor behind", async () => {
    await openBackend("wasm");
    const both = branches();
    const x = tokens();
    const before = tf.memory().numTensors;
    const [trained, evaluated] = [true, false].map((training) => {
      const y = both.apply(x, { training }) as tf.Tensor;
      const values = y.dataSync();
      y.dispose();
      return values;
    });
    assert.deepEqual(evaluated, trained);
    assert.equal(tf.memory().numTensors, before);
    both.dispose();
  });

  it("gives no mask to a layer that is called without one, regardless of earlier calls", async () => {
    await openBackend("wasm");
    const both = branches();
    const rows = tf.tidy(() => (both.apply(tokens()) as tf.Tensor).arraySync() as number[][]);
    // With equal tables the branches differ only by the mask, so they are equal where nothing is masked.
    const [masked, plain] = both.layers.filter((layer) => layer.getClassName() === "Embedding");
    plain.setWeights(masked.getWeights());
    const of = (values: number[]): number[] =>
      tf.tidy(() => (both.apply(tf.tensor(values, [1, 4], "int32")) as tf.Tensor).arraySync() as number[][])[0];
    const [, , ...unmasked] = of([1, 2, 3, 1]);
    assert.deepEqual(of([1, 2, 3, 1]).slice(0, 2), unmasked);
    const [first, second, ...rest] = of([1, 2, 0, 0]);
    assert.notDeepEqual([first, second], rest);
    assert.equal(rows.length, 2);
    both.dispose();
  });
});
