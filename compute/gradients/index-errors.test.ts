import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SampleBatch } from "./gradients.js";
import { openGradients } from "./open-gradients.test.helper.js";

/** Two samples of four numbers, of which the last one is `value`. */
const batchWith = (value: number): SampleBatch => {
  const inputs = Float32Array.of(0, 1, 2, 3, 0, 1, 2, value);
  return { number: 7, samples: 2, inputs: new Uint8Array(inputs.buffer), labels: Uint8Array.of(0, 1) };
};
const words = { layer: "Embedding", inputDim: 5, outputDim: 2, name: "words" };
const head = [{ layer: "Flatten" }, { layer: "Dense", units: 3 }];

describe("an index that a layer has no row for", () => {
  for (const backend of ["wasm", "cpu"] as const) {
    it(`is refused with its place in the batch, before anything is computed, on ${backend}`, async () => {
      const { gradients, gradientOf } = await openGradients({
        backend,
        layers: [{ ...words, inputShape: [4] }, ...head],
      });
      gradientOf(batchWith(4));
      for (const value of [5, -1, 1.5, Number.NaN]) {
        const message = `Number 3 of sample 1 of micro-batch 7, both counted from 0, is ${value}, but the Embedding layer "words" has inputDim 5: it takes whole numbers from 0 to 4; correct the data.`;
        assert.throws(() => gradientOf(batchWith(value)), { name: "IsobatchError", code: "invalid_input", message });
        assert.throws(() => gradients.evaluate(batchWith(value)), { message: /sample 1 of evaluation batch 7/ });
      }
    });

    it(`is refused where other layers compute it, on ${backend}`, async () => {
      const layers = [
        { layer: "Reshape", targetShape: [4, 1], inputShape: [4] },
        { layer: "MaxPooling1D", poolSize: 2 },
        words,
      ];
      const { gradientOf } = await openGradients({ backend, layers: [...layers, ...head] });
      gradientOf(batchWith(4));
      for (const value of [5, 2.5]) {
        const message = new RegExp(
          `^A number that the model computes of sample 1 of micro-batch 7, counted from 0, is ${value}, but the Embedding`,
        );
        assert.throws(() => gradientOf(batchWith(value)), { name: "IsobatchError", code: "invalid_input", message });
      }
    });
  }
});
