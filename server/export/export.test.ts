import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import { createLayout } from "../../shared/layout/index.js";
import { createRandom } from "../../shared/random.js";
import { buildModel, tensorflow as tf } from "../../tasks/models/index.js";
import { exportSafetensors, exportTfjs } from "./index.js";
import { predictInPlainTfjs } from "./plain-tfjs.test.helper.js";

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), "isobatch-export-"));
});
after(() => rmSync(root, { recursive: true }));

const random = (length: number, seed: number) => {
  const source = createRandom(seed);
  return Float32Array.from({ length }, () => source.next());
};

describe("exportTfjs()", () => {
  it("gives a model that plain tfjs loads, with the same outputs", async () => {
    const built = await buildModel({
      seed: 3,
      initialWeights: "seeded",
      weightDecayExclude: [],
      freeze: ["first"],
      model: {
        kind: "sequential",
        layers: [
          { layer: "Conv2D", name: "first", filters: 4, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] },
          { layer: "BatchNormalization" },
          { layer: "Flatten" },
          { layer: "Dropout", rate: 0.5 },
          { layer: "Dense", units: 300, activation: "relu" },
          { layer: "Dense", units: 300, activation: "relu" },
          { layer: "Dense", units: 3200, activation: "relu" },
          { layer: "Dense", units: 5 },
        ],
      },
    });
    const { layout, model, topology } = built;
    // More than 4 MiB, so that tensors lie across the files' borders; variances stay positive.
    assert.ok(4 * layout.length > 4 * 2 ** 20);
    const theta = random(layout.length, 7).map((value) => 0.1 * value + 0.001);
    await tf.setBackend("cpu");
    const values = new Map(
      layout.tensors.map(({ name, offset, length }) => [name, theta.subarray(offset, offset + length)]),
    );
    for (const weight of model.weights) {
      weight.write(tf.tensor(values.get(weight.originalName)!, weight.shape as number[]));
    }
    const inputs = random(3 * 64, 8);
    const expected = model.predict(tf.tensor(inputs, [3, 8, 8, 1]));
    assert.ok(expected instanceof tf.Tensor);

    const folder = join(root, "tfjs");
    exportTfjs(topology, layout, theta, folder);
    assert.deepEqual(readdirSync(folder).sort(), ["group1-shard1of2.bin", "group1-shard2of2.bin", "model.json"]);
    const outputs = predictInPlainTfjs(folder, { values: [...inputs], shape: [3, 8, 8, 1] });
    assert.deepEqual(outputs, [...(expected.dataSync() as Float32Array)]);
  });

  it("refuses a folder that holds something, and leaves it alone", () => {
    const layout = createLayout([{ name: "w", shape: [2], kind: "parameter", decay: true }]);
    const folder = mkdtempSync(join(root, "taken-"));
    writeFileSync(join(folder, "model.json"), "mine");
    assert.throws(
      () => exportTfjs("{}", layout, new Float32Array(2), folder),
      (error) => error instanceof IsobatchError && /is not empty/.test(error.message),
    );
    assert.equal(readFileSync(join(folder, "model.json"), "utf8"), "mine");
  });
});

describe("exportSafetensors()", () => {
  it("writes each weight under its own name, in its shape", () => {
    const layout = createLayout([
      { name: "dense/kernel", shape: [2, 3], kind: "parameter", decay: true },
      { name: "norm/mean", shape: [2], kind: "tail", decay: false },
    ]);
    const theta = Float32Array.from({ length: 8 }, (_, i) => i / 4);
    const file = join(root, "deep", "weights.safetensors");
    exportSafetensors(layout, theta, file, { task: "mnist" });
    const bytes = readFileSync(file);
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    assert.deepEqual(JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes)), {
      __metadata__: { task: "mnist" },
      "dense/kernel": { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
      "norm/mean": { dtype: "F32", shape: [2], data_offsets: [24, 32] },
    });
    assert.deepEqual(bytes.subarray(8 + headerBytes), Buffer.from(theta.buffer));
  });
});
