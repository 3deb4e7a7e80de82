import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import { createLayout } from "../../shared/layout/index.js";
import { createRandom } from "../../shared/random.js";
import { buildFrom } from "../../tasks/models/build-model.js";
import { buildModel, loadModel, tensorflow as tf } from "../../tasks/models/index.js";
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
    await exportTfjs(topology, layout, theta, folder);
    assert.deepEqual(readdirSync(folder).sort(), ["group1-shard1of2.bin", "group1-shard2of2.bin", "model.json"]);
    const outputs = predictInPlainTfjs(folder, { values: [...inputs], shape: [3, 8, 8, 1] });
    assert.deepEqual(outputs, [...(expected.dataSync() as Float32Array)]);
  });

  it("gives what is frozen the very bytes of the file that it came from, in inner models of the same layers too", async () => {
    const inner = (name: string) => {
      const x = tf.input({ shape: [3] });
      const hidden = tf.layers.dense({ units: 3, name: "hidden" }).apply(x);
      return tf.model({
        name,
        inputs: x,
        outputs: tf.layers.dense({ units: 2, name: "out" }).apply(hidden) as typeof x,
      });
    };
    /** Its weights as a file holds them: any bits, subnormal numbers and −0 too. */
    const file = random(20, 11).map((value, i) => (i === 3 ? 1e-42 : i === 4 ? -0 : value - 0.5));
    const pretrained = inner("left");
    let at = 0;
    for (const weight of pretrained.weights) {
      const size = (weight.shape as number[]).reduce((product, d) => product * d, 1);
      weight.write(tf.tensor(file.slice(at, at + size), weight.shape as number[]));
      at += size;
    }
    assert.equal(at, file.length);
    pretrained.trainable = false;
    const x = tf.input({ shape: [3] });
    const parts = [inner("right"), pretrained].map((model) => model.apply(x));
    const model = tf.model({
      inputs: x,
      outputs: tf.layers
        .dense({ units: 1, name: "head" })
        .apply(tf.layers.concatenate().apply(parts as never)) as typeof x,
    });
    const { layout, topology, initialWeights } = await buildFrom(model, {
      seed: 3,
      initialWeights: "model",
      weightDecayExclude: [],
      freeze: [],
      model: { kind: "module" } as never,
    });
    // As after a step: everything that is trained has moved.
    const theta = initialWeights.map((value, i) => (i < layout.parameters ? value + 1 : value));
    const folder = join(root, "frozen");
    await exportTfjs(topology, layout, theta, folder);

    const { weightsManifest } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
    const bytes = readFileSync(join(folder, weightsManifest[0].paths[0]));
    let offset = 0;
    const exported = new Map<string, Buffer>();
    for (const { name, shape } of weightsManifest[0].weights as { name: string; shape: number[] }[]) {
      const size = 4 * shape.reduce((product, d) => product * d, 1);
      exported.set(name, bytes.subarray(offset, offset + size));
      offset += size;
    }
    assert.equal(exported.size, 10);
    // The second of two equal names is the one that was renamed.
    const frozen = ["kernel", "bias"].flatMap((own) => [`hidden_2/${own}`, `out_2/${own}`]).sort();
    const ordered = [`hidden_2/kernel`, "hidden_2/bias", "out_2/kernel", "out_2/bias"];
    assert.deepEqual([...exported.keys()].filter((name) => name.includes("_2")).sort(), frozen);
    assert.deepEqual(Buffer.concat(ordered.map((name) => exported.get(name)!)), Buffer.from(file.buffer));

    await tf.setBackend("cpu");
    const outputs = predictInPlainTfjs(folder, { values: [0.5, -1, 2], shape: [1, 3] });
    const { model: here, tensors } = await loadModel(topology, layout);
    for (const { name, shape, offset: from, length } of layout.tensors) {
      tensors.get(name)!.write(tf.tensor(theta.slice(from, from + length), [...shape]));
    }
    const expected = here.predict(tf.tensor([0.5, -1, 2], [1, 3])) as ReturnType<typeof tf.tensor>;
    assert.deepEqual(outputs, [...expected.dataSync()]);
  });

  it("refuses a folder that holds something, and leaves it alone", async () => {
    const layout = createLayout([{ name: "w", shape: [2], kind: "parameter", decay: true }]);
    const folder = mkdtempSync(join(root, "taken-"));
    writeFileSync(join(folder, "model.json"), "mine");
    await assert.rejects(
      exportTfjs("{}", layout, new Float32Array(2), folder),
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
