import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import type { Layer } from "../../tasks/index.js";
import { openBackend, probeBackend } from "../index.js";
import { settings } from "../settings.test.helper.js";
import type { NativeBackend } from "./native-package.js";

const { available, reason } = await probeBackend("tfjs-node", settings);

/** The names of the operations that TensorFlow is called for meanwhile. */
function operationsOf(compute: () => void): string[] {
  const native = tf.backend() as NativeBackend;
  const { executeSingleOutput, executeMultipleOutputs } = native;
  const names: string[] = [];
  native.executeSingleOutput = (name, ...rest) => {
    names.push(name);
    return executeSingleOutput.call(native, name, ...rest);
  };
  native.executeMultipleOutputs = (name, ...rest) => {
    names.push(name);
    return executeMultipleOutputs.call(native, name, ...rest);
  };
  try {
    compute();
  } finally {
    Object.assign(native, { executeSingleOutput, executeMultipleOutputs });
  }
  return names;
}

describe("the operations that a layer's gradient takes on TensorFlow", { skip: !available && reason }, () => {
  const layer = {
    BatchNormalization: () => layers.batchNormalization({ momentum: 0 }),
    LayerNormalization: () => layers.layerNormalization(),
    "LayerNormalization without beta": () => layers.layerNormalization({ center: false }),
  };
  const operations = (build: () => Layer, shape: number[]): string[] => {
    const built = build();
    const x = tf.variable(tf.zeros(shape));
    built.apply(x);
    const variables = built.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const dy = tf.ones(shape);
    const compute = (): tf.Tensor => built.apply(x, { training: true }) as tf.Tensor;
    const all = operationsOf(() => tf.tidy(() => void tf.grads(compute)([x, ...variables], dy)));
    tf.dispose([x, dy]);
    built.dispose();
    return all;
  };

  it("are TensorFlow's own two over a batch of images", async () => {
    await openBackend("tfjs-node", settings);
    const all = operations(layer.BatchNormalization, [2, 3, 3, 4]);
    assert.deepEqual(all, ["FusedBatchNormV2", "FusedBatchNormGradV2"]);
  });

  it("are 9 and 11 over rows, and one less each way without a beta", async () => {
    await openBackend("tfjs-node", settings);
    const all = operations(layer.LayerNormalization, [2, 3, 4]);
    assert.equal(all.length, 9 + 11, all.join());
    const without = operations(layer["LayerNormalization without beta"], [2, 3, 4]);
    assert.equal(without.length, 8 + 10, without.join());
  });
});
