import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { openBackend, probeBackend } from "../index.js";
import { buildCase, type LayerCase, layerCases, nameOf, weightedSum } from "../layer-cases.test.helper.js";
import { settings } from "../settings.test.helper.js";
import type { NativeBackend } from "./native-package.js";
import { functionsOf } from "./program/trace.js";

const { available, reason } = await probeBackend("tfjs-node", settings);

/** Here these layers draw random numbers in JavaScript; in a run they draw by key. */
const DRAWING = ["Dropout", "SpatialDropout1D"];

/** More elements than a scalar, a shape or a list of axes has. */
const FEW = 12;

const elements = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
const waves = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i));

/** The numbers of elements of the tensors that JavaScript makes while the gradient for a batch is computed. */
function madeSizes(example: LayerCase, model: ReturnType<typeof buildCase>, batch: number): number[] {
  const native = tf.backend() as NativeBackend;
  const { binding } = native;
  const { shapes, tokens } = example;
  const made: number[] = [];
  tf.tidy(() => {
    const given = shapes.map((shape) => {
      const values = waves(batch * elements(shape));
      if (tokens === undefined) return tf.variable(tf.tensor(values, [batch, ...shape]));
      return tf.tensor(
        Int32Array.from(values, (_, i) => i % tokens),
        [batch, ...shape],
        "int32",
      );
    });
    const outputShape = [batch, ...(model.outputs[0].shape.slice(1) as number[])];
    const dy = tf.tensor(waves(elements(outputShape)), outputShape);
    native.getInputTensorIds([...given, dy]);
    native.binding = {
      ...functionsOf(binding),
      createTensor(shape, type, values) {
        made.push(elements(shape));
        return binding.createTensor(shape, type, values);
      },
    };
    try {
      const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const all = tokens === undefined ? [...weights, ...(given as tf.Variable[])] : weights;
      tf.variableGrads(() => weightedSum(tf, model, given, dy).loss, all);
    } finally {
      native.binding = binding;
      if (tokens === undefined) tf.dispose(given);
    }
  });
  return made;
}

describe("the tensors that JavaScript makes for a gradient", { skip: !available && reason }, () => {
  it("are no larger for a larger batch, for any layer: they would be constants of a program", async () => {
    await openBackend("tfjs-node", settings);
    const larger: string[] = [];
    let seen = 0;
    for (const example of layerCases.filter(({ className }) => !DRAWING.includes(className))) {
      const model = buildCase(layers, example);
      madeSizes(example, model, 2); // The first time weights are copied to TensorFlow, too.
      const [few, many] = [2, 6].map((batch) => madeSizes(example, model, batch));
      seen += many.length;
      for (const [i, size] of many.entries()) {
        if (size > FEW && size > (few[i] ?? 0)) larger.push(`${nameOf(example)}: ${few[i]}, then ${size}`);
      }
      model.dispose();
    }
    assert.deepEqual(larger, []);
    assert.ok(seen > 0);
  });
});
