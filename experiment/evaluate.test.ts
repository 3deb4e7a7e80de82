import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBatch, type PreparedTask, prepareTask, resolveTask, type Task } from "../tasks/index.js";
import { trainInProcess } from "./trainer.js";

const UNITS = 32;
const TASK: Task = resolveTask("small", {
  name: "small",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: UNITS, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist", limit: 4_000, testLimit: 500 },
  microBatchSize: 32,
  samples: 32 * 64,
  learningRate: 0.003,
  evaluateEverySamples: 32 * 64,
  evaluationBatchSize: 200,
});

/** The mean loss over the test part with these weights, all of it in float64. */
function lossInFloat64({ data, built }: PreparedTask, theta: Float32Array): number {
  const test = data.test!;
  const [w1, b1, w2, b2] = built.layout.tensors.map(({ offset, length }) => theta.subarray(offset, offset + length));
  let sum = 0;
  for (let sample = 0; sample < test.samples; sample++) {
    const { inputs, labels } = test.read(Uint32Array.of(sample));
    const x = decodeBatch(test, inputs, labels, 1);
    const hidden = Array.from({ length: UNITS }, (_, j) =>
      Math.max(
        0,
        x.inputs.reduce((total: number, value: number, i: number) => total + value * w1[i * UNITS + j], b1[j]),
      ),
    );
    const logits = Array.from({ length: 10 }, (_, k) =>
      hidden.reduce((total, h, j) => total + h * w2[j * 10 + k], b2[k]),
    );
    const most = Math.max(...logits);
    const logOfSum = most + Math.log(logits.reduce((total, z) => total + Math.exp(z - most), 0));
    sum += logOfSum - logits[x.labels[0]];
  }
  return sum / test.samples;
}

describe("evaluateOn()", () => {
  it("resolves differences of a millionth of the loss: it agrees with float64 to a tenth of that", async () => {
    const prepared = await prepareTask(TASK);
    const { theta, evaluations } = await trainInProcess(TASK, { prepared, evaluateFirst: true });
    const expected = [lossInFloat64(prepared, prepared.built.initialWeights), lossInFloat64(prepared, theta)];
    assert.ok(expected[1] < expected[0] / 2, "it has learned");
    const errors = evaluations.map(({ loss }, i) => Math.abs(loss / expected[i] - 1));
    assert.ok(Math.max(...errors) < 1e-7, `relative errors ${errors.join(", ")}`);
  });
});
