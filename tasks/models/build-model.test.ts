import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Layout } from "../../shared/layout/index.js";
import { loadTask, resolveTask, type TaskOverrides } from "../load-task.js";
import type { TaskInput } from "../task.js";
import { type BuiltModel, buildModel } from "./build-model.js";
import { loadModel } from "./load-model.js";
import { tensorflow as tf } from "./tensorflow.js";

type Layers = (TaskInput["model"] & { kind: "sequential" })["layers"];

function build(layers: Layers, overrides: TaskOverrides = {}): Promise<BuiltModel> {
  const input: TaskInput = {
    name: "test",
    model: { kind: "sequential", layers },
    loss: "softmaxCrossEntropy",
    dataset: { kind: "mnist" },
    microBatchSize: 1,
    samples: 1,
    learningRate: 1,
  };
  return buildModel(resolveTask("test", input, overrides));
}

const twins: Layers = [
  { layer: "Dense", units: 8, inputShape: [8] },
  { layer: "BatchNormalization", momentum: 0.75 },
  { layer: "Dense", units: 8 },
];

function valuesOf({ layout, initialWeights }: BuiltModel, name: string): number[] {
  const { offset, length } = tensorOf(layout, name);
  return [...initialWeights.subarray(offset, offset + length)];
}

function tensorOf(layout: Layout, name: string): Layout["tensors"][number] {
  const tensor = layout.tensors.find((candidate) => candidate.name === name);
  assert.ok(tensor, `${name} is not one of ${layout.tensors.map((candidate) => candidate.name).join(", ")}`);
  return tensor;
}

const hashOf = ({ initialWeights }: BuiltModel): string =>
  createHash("sha256").update(new Uint8Array(initialWeights.buffer)).digest("hex");

describe("buildModel()", () => {
  it("gives the same names, topology and weights every time, though tfjs's own names count on", async () => {
    const [first, second] = [await build(twins), await build(twins)];
    assert.equal(second.topology, first.topology);
    assert.deepEqual(second.layout, first.layout);
    assert.equal(hashOf(second), hashOf(first));
  });

  it("gives the same weights in another process", async () => {
    const script = `
      const { loadTask, buildModel } = await import(${JSON.stringify(new URL("../index.js", import.meta.url).href)});
      const { createHash } = await import("node:crypto");
      const { initialWeights } = await buildModel(await loadTask("mnist", { seed: 3 }));
      console.log(createHash("sha256").update(new Uint8Array(initialWeights.buffer)).digest("hex"));`;
    const there = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).trim();
    assert.equal(hashOf(await buildModel(await loadTask("mnist", { seed: 3 }))), there);
  });

  it("draws other weights for another seed, and for another layer of the same shape", async () => {
    const [zero, one] = [await build(twins), await build(twins, { seed: 1 })];
    assert.notDeepEqual(valuesOf(one, "dense_1/kernel"), valuesOf(zero, "dense_1/kernel"));
    assert.notDeepEqual(valuesOf(zero, "dense_2/kernel"), valuesOf(zero, "dense_1/kernel"));
  });

  it("draws every weight inside wrapped and stacked layers on its own, hidden initialisers included", async () => {
    const layers: Layers = [
      {
        layer: "Bidirectional",
        inputShape: [3, 2],
        mergeMode: "concat",
        wraps: { layer: "LSTM", units: 2, returnSequences: true, biasInitializer: "randomNormal" },
      },
      {
        layer: "RNN",
        cell: [
          { layer: "GRUCell", units: 4 },
          { layer: "GRUCell", units: 4 },
        ],
      },
      { layer: "Dense", units: 2 },
    ];
    const built = await build(layers);
    const drawn = built.layout.tensors.filter(({ name }) => /kernel|lstm.*bias/.test(name));
    assert.equal(drawn.length, 6 + 4 + 1);
    const starts = drawn.map(({ name }) => String(valuesOf(built, name)[0]));
    assert.equal(new Set(starts).size, drawn.length, starts.join(" "));
    assert.ok(!starts.includes("0"));
    assert.equal(hashOf(await build(layers)), hashOf(built));
  });

  it("draws every part of an LSTM's bias by itself; between them the forget gate's are ones", async () => {
    const lstm = { layer: "LSTM", units: 3, unitForgetBias: true, biasInitializer: "randomNormal", inputShape: [4, 2] };
    const bias = [...valuesOf(await build([lstm, { layer: "Dense", units: 1 }]), "lstm_1/bias")];
    assert.deepEqual(bias.slice(3, 6), [1, 1, 1]);
    assert.equal(new Set(bias).size, 9 + 1, String(bias));
  });

  it("draws what the initialiser says: Glorot's uniform has its limit and its variance", async () => {
    const layers = [{ layer: "Dense", units: 300, inputShape: [200], kernelInitializer: "glorotUniform" }];
    const values = valuesOf(await build(layers), "dense_1/kernel");
    const limit = Math.sqrt(6 / (200 + 300));
    assert.ok(values.every((value) => Math.abs(value) <= limit));
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    assert.ok(Math.abs(variance / (limit ** 2 / 3) - 1) < 0.02, `${variance}`);
  });

  it("puts batch statistics into the tail, with their momentum, and exempts biases and scales from decay", async () => {
    const { layout } = await build(twins);
    assert.deepEqual(
      layout.tensors.map(({ name, kind, decay, momentum }) => [name, kind, decay, momentum]),
      [
        ["dense_1/kernel", "parameter", true, undefined],
        ["dense_1/bias", "parameter", false, undefined],
        ["batch_normalization_1/gamma", "parameter", false, undefined],
        ["batch_normalization_1/beta", "parameter", false, undefined],
        ["dense_2/kernel", "parameter", true, undefined],
        ["dense_2/bias", "parameter", false, undefined],
        ["batch_normalization_1/moving_mean", "tail", false, 0.75],
        ["batch_normalization_1/moving_variance", "tail", false, 0.75],
      ],
    );
  });

  it("freezes layers by pattern, in the topology too", async () => {
    const built = await build(twins, { freeze: ["dense_1", "batch*"] });
    const kinds = Object.fromEntries(built.layout.tensors.map(({ name, kind }) => [name, kind]));
    assert.deepEqual(kinds, {
      "dense_2/kernel": "parameter",
      "dense_2/bias": "parameter",
      "batch_normalization_1/moving_mean": "frozen",
      "batch_normalization_1/moving_variance": "frozen",
      "dense_1/kernel": "frozen",
      "dense_1/bias": "frozen",
      "batch_normalization_1/gamma": "frozen",
      "batch_normalization_1/beta": "frozen",
    });
    const { model } = await loadModel(built.topology, built.layout);
    assert.equal(model.trainableWeights.length, 2);
  });

  it("takes a task's own weight-decay patterns", async () => {
    const { layout } = await build(twins, { weightDecayExclude: ["dense_1/*"] });
    const decaying = layout.tensors.filter(({ decay }) => decay).map(({ name }) => name);
    assert.deepEqual(decaying, [
      "batch_normalization_1/gamma",
      "batch_normalization_1/beta",
      "dense_2/kernel",
      "dense_2/bias",
    ]);
  });

  it("keeps the names that layers were given", async () => {
    const { layout } = await build([{ layer: "Dense", units: 1, inputShape: [1], name: "dense_Dense1_head" }]);
    assert.equal(layout.tensors[0].name, "dense_Dense1_head/kernel");
  });

  it("builds on the cpu backend, whatever the current one is, and puts that back", async () => {
    // A backend that can be made current but computes nothing.
    tf.registerBackend("idle", () => ({ dispose() {} }) as never);
    await tf.setBackend("idle");
    await build(twins);
    assert.equal(tf.getBackend(), "idle");
    await tf.setBackend("cpu");
    tf.removeBackend("idle");
  });

  const faults: [string, Layers, TaskOverrides, RegExp][] = [
    [
      "unknown layers, each nearly right or not",
      [{ layer: "Dens" }, { layer: "Flatten" }, { layer: "Transformer" }],
      {},
      /^model.layers\[0\] is "Dens", which .* knows \(did you mean Dense\?\)\.\nmodel.layers\[2\] is "Transformer", which .* knows\.$/,
    ],
    [
      "misspelt fields of a layer",
      [{ layer: "Dense", units: 2, inputShape: [3], activaton: "relu", useBais: false }],
      {},
      /^model.layers\[0\] \(Dense\) .* fields "activaton" \(did you mean activation\?\), "useBais" \(did you mean useBias\?\)\.$/,
    ],
    [
      "a field that no name is near",
      [{ layer: "Dense", units: 2, inputShape: [3], colour: "red" }],
      {},
      /^model.layers\[0\] \(Dense\) can't be built: it has the unknown field "colour"; Dense takes units, activation, /,
    ],
    [
      "a value that tfjs refuses",
      [{ layer: "Dense", units: 2, inputShape: [3], activation: "rel" }],
      {},
      /can't be built: .*rel/,
    ],
    ["a first layer without its input's shape", [{ layer: "Dense", units: 2 }], {}, /^model.layers\[0\] .*inputShape/],
    [
      "a pattern that freezes nothing",
      twins,
      { freeze: ["conv*"] },
      /^freeze has the pattern "conv\*", .* dense_1, batch/,
    ],
    ["a model with nothing to train", twins, { freeze: ["*"] }, /^The model has nothing to train/],
    [
      "weights that are not finite",
      [
        {
          layer: "Dense",
          units: 2,
          inputShape: [3],
          biasInitializer: "ones",
          kernelInitializer: { className: "Constant", config: { value: 1e39 } },
        },
      ],
      {},
      /^The initial weight dense_1\/kernel holds Infinity/,
    ],
  ];
  for (const [name, layers, overrides, message] of faults) {
    it(`refuses ${name}`, () => assert.rejects(build(layers, overrides), { name: "IsobatchError", message }));
  }
});

describe("buildModel() of a task module", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "isobatch-module-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function load(
    body: string,
    fields = "",
  ): Promise<{ path: string; task: Awaited<ReturnType<typeof loadTask>> }> {
    const path = join(folder, "task.mjs");
    await writeFile(path, `export default { extends: "mnist", ${fields} model: (tf) => { ${body} } };\n`);
    return { path, task: await loadTask(path) };
  }
  const model = `
    const input = tf.input({ shape: [28, 28, 1] });
    const flat = tf.layers.flatten().apply(input);
    const dense = tf.layers.dense({ units: 10, kernelInitializer: tf.initializers.constant({ value: 0.25 }) });
    const outputs = dense.apply(flat);
    return tf.model({ inputs: input, outputs });`;

  it("runs the module's function on the cpu backend", async () => {
    const asks = `if (tf.getBackend() !== "cpu") throw new Error(tf.getBackend()); ${model}`;
    tf.registerBackend("idle", () => ({ dispose() {} }) as never);
    await tf.setBackend("idle");
    await buildModel((await load(asks)).task);
    assert.equal(tf.getBackend(), "idle");
    await tf.setBackend("cpu");
    tf.removeBackend("idle");
  });

  it("takes a functional model, with stable names", async () => {
    const [first, second] = [await buildModel((await load(model)).task), await buildModel((await load(model)).task)];
    assert.deepEqual(
      first.layout.tensors.map(({ name }) => name),
      ["dense_1/kernel", "dense_1/bias"],
    );
    assert.equal(second.topology, first.topology);
    assert.equal(first.initialWeights[0], 0.25);
  });

  it('draws weights from the seed, or keeps the module\'s own with initialWeights: "model"', async () => {
    const trained = model.replace("return", "dense.setWeights([tf.fill([784, 10], 7), tf.zeros([10])]); return");
    const seeded = await buildModel((await load(trained)).task);
    assert.equal(seeded.initialWeights[0], 0.25);
    const kept = await buildModel((await load(trained, 'initialWeights: "model",')).task);
    assert.equal(kept.initialWeights[0], 7);
  });

  it("refuses a module that has changed since the task was resolved", async () => {
    const { path, task } = await load(model);
    await writeFile(path, "export default { model: () => null };\n");
    await assert.rejects(buildModel(task), {
      code: "refused",
      message: /task.mjs has changed since the run was started/,
    });
  });

  it("says what is wrong with what the function does", async () => {
    await assert.rejects(
      load("return 3;").then(({ task }) => buildModel(task)),
      { message: /returned no LayersModel/ },
    );
    await assert.rejects(
      load('throw new Error("ouch");').then(({ task }) => buildModel(task)),
      {
        message: /^The model function of .*task.mjs failed: ouch$/,
      },
    );
  });
});
