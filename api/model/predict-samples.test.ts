import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { SavedForm } from "../../tasks/index.js";
import { tensorflow as tf } from "../../tasks/models/index.js";
import type { LayersModel } from "../../tasks/tfjs/types.js";
import { createPredict } from "./predict-samples.js";

const form: SavedForm = {
  input: { shape: [2], type: "float32", scale: 1 },
  label: { shape: [2], type: "float32" },
  columns: { inputs: ["length", "width"], labels: ["a", "b"] },
};

/** Its outputs are its inputs. */
const model = { predict: (fed: { clone(): unknown }) => fed.clone() } as unknown as LayersModel;

const predict = createPredict({
  model,
  task: { loss: "meanSquaredError", dataset: { kind: "csv" } } as Parameters<typeof createPredict>[0]["task"],
  form,
  labels: undefined,
});

describe("samples to predict", () => {
  before(() => tf.setBackend("cpu"));

  it("are taken by column, in any order, whatever the columns are called", async () => {
    const rows = [
      { width: 3, length: 5 },
      { length: 2, width: 7 },
    ];
    const predictions = await predict(rows);
    assert.deepEqual(
      predictions.map(({ outputs }) => Array.from(outputs)),
      [
        [5, 3],
        [2, 7],
      ],
    );
  });

  it("are taken as arrays and typed arrays in the columns' order", async () => {
    const predictions = await predict([[5, 3], Float32Array.of(2, 7)]);
    assert.deepEqual(
      predictions.map(({ outputs }) => Array.from(outputs)),
      [
        [5, 3],
        [2, 7],
      ],
    );
  });

  it("are refused with the name of the column, or the number's place in an array", async () => {
    await assert.rejects(predict([{ length: 5, width: Number.NaN }]), {
      message: '"width" of sample 0 is NaN; it must be a finite number.',
    });
    await assert.rejects(
      predict([
        [5, 3],
        [5, Number.NaN],
      ]),
      {
        message: "Number 1 of sample 1 is NaN; it must be a finite number.",
      },
    );
  });
});
