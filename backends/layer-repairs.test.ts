import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import { createRandom } from "../shared/random.js";
import { assertClose, backendNames, randomArray } from "./gradient-check.test.helper.js";
import { openBackend } from "./index.js";
import { build, convolution, position, sliding } from "./reference.test.helper.js";
import { settings } from "./settings.test.helper.js";

/** What the repaired layers compute, from their definitions; that their gradients fit is shown with all the others. */
for (const backend of backendNames) {
  describe(`repaired layers on ${backend}`, () => {
    const x = randomArray([3, 4, 5, 2], createRandom(1));
    const given = (): tf.Tensor => tf.tensor(Float32Array.from(x.values), x.shape);

    it("BatchNormalization takes mean and variance over all axes but its own", async () => {
      await openBackend(backend, settings);
      const axis = 1;
      const layer = layers.batchNormalization({ axis, center: false, epsilon: 0.01 });
      const found = tf.tidy(() => (layer.apply(given(), { training: true }) as tf.Tensor).dataSync());
      const planes = Array.from({ length: x.shape[axis] }, (): number[] => []);
      build(x.shape, (index) => planes[index[axis]].push(x.values[position(x.shape, index)]));
      const statistics = planes.map((values) => {
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
      });
      const expected = build(x.shape, (index) => {
        const { mean, variance } = statistics[index[axis]];
        return (x.values[position(x.shape, index)] - mean) / Math.sqrt(variance + 0.01);
      });
      assertClose(found, expected.values, 1e-5, "normalized");
      layer.dispose();
    });

    it("Softmax adds up to one along its axis", async () => {
      await openBackend(backend, settings);
      const sums = tf.tidy(() => {
        const y = layers.softmax({ axis: 2 }).apply(given()) as tf.Tensor;
        const logits = tf.log(y);
        // Logarithms differ from the inputs by a constant along the axis.
        const difference = tf.sub(logits, given());
        const spread = tf.sub(tf.max(difference, 2), tf.min(difference, 2));
        return { sums: tf.sum(y, 2).dataSync(), spread: tf.max(spread).dataSync()[0] };
      });
      assertClose(sums.sums, new Array(24).fill(1), 1e-6, "sums");
      assert.ok(sums.spread < 1e-5);
    });

    it("Conv2D is dilated, whatever its activation and data format", async () => {
      await openBackend(backend, settings);
      for (const dataFormat of ["channelsLast", "channelsFirst"] as const) {
        const layer = layers.conv2d({
          filters: 3,
          kernelSize: 2,
          dilationRate: [2, 1],
          activation: "relu",
          dataFormat,
        });
        const last = dataFormat === "channelsLast";
        const found = tf.tidy(() => {
          const y = layer.apply(last ? given() : tf.transpose(given(), [0, 3, 1, 2])) as tf.Tensor;
          return (last ? y : tf.transpose(y, [0, 2, 3, 1])).dataSync();
        });
        const [kernel, bias] = layer.getWeights().map((weight) => ({
          shape: weight.shape,
          values: Float64Array.from(weight.dataSync()),
        }));
        assert.ok(bias.values.every((value) => value === 0));
        const expected = convolution(x, kernel, [sliding(4, 2, 1, 2, "valid"), sliding(5, 2, 1, 1, "valid")]);
        const rectified = expected.values.map((value) => Math.max(0, value));
        assertClose(found, rectified, 1e-5, dataFormat);
        layer.dispose();
      }
    });
  });
}
