import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { createLayout } from "../../shared/layout/index.js";
import { resolveTask } from "../load-task.js";
import type { TaskInput } from "../task.js";
import { type BuiltModel, buildModel } from "./build-model.js";
import { loadModel } from "./load-model.js";
import { TOPOLOGY_LIMITS, validateTopology } from "./validate-topology.js";

const input: TaskInput = {
  name: "small",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Dense", units: 4, inputShape: [3] },
      { layer: "BatchNormalization" },
      { layer: "Dense", units: 2 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist" },
  microBatchSize: 1,
  samples: 1,
  learningRate: 1,
};

let built: BuiltModel;
before(async () => {
  built = await buildModel(resolveTask("small", input));
});

// biome-ignore lint/suspicious/noExplicitAny: attacks are JSON of no particular form.
type Json = any;

const dense = (config: object): Json => ({ class_name: "Dense", config: { name: "d", units: 2, ...config } });
const sequential = (...layers: Json[]): Json => ({ class_name: "Sequential", config: { name: "s", layers } });
const first = { batch_input_shape: [null, 3] };
const inputLayer = {
  name: "in",
  class_name: "InputLayer",
  config: { name: "in", batch_input_shape: [null, 3], dtype: "float32", sparse: false },
  inbound_nodes: [],
};
/** A functional model of an input and dense layers, each fed by the one named. */
const graph = (feeds: Record<string, string>, output = "a"): Json => ({
  class_name: "Model",
  config: {
    name: "g",
    layers: [
      inputLayer,
      ...Object.entries(feeds).map(([name, source]) => ({
        ...dense({ name }),
        name,
        inbound_nodes: [[[source, 0, 0, {}]]],
      })),
    ],
    input_layers: [["in", 0, 0]],
    output_layers: [[output, 0, 0]],
  },
});
const nest = (levels: number): Json => (levels === 0 ? 1 : [nest(levels - 1)]);

describe("loadModel()", () => {
  it("makes a functional model", async () => {
    const topology = JSON.stringify(graph({ a: "in", b: "a" }, "b"));
    const shapes = { "a/kernel": [3, 2], "a/bias": [2], "b/kernel": [2, 2], "b/bias": [2] };
    const specs = Object.entries(shapes).map(
      ([name, shape]) => ({ name, shape, kind: "parameter", decay: true }) as const,
    );
    const { model } = await loadModel(topology, createLayout(specs));
    assert.equal(model.layers.length, 3);
  });

  it("makes the model that was built, its tensors found by the layout's names", async () => {
    const { model, tensors } = await loadModel(built.topology, built.layout);
    assert.deepEqual([...tensors.keys()].sort(), built.layout.tensors.map(({ name }) => name).sort());
    for (const { name, shape } of built.layout.tensors) assert.deepEqual(tensors.get(name)?.shape, shape);
    assert.equal(model.outputs[0].shape[1], 2);
  });

  it("refuses a topology that lacks the layout's weights", async () => {
    const other = await buildModel(resolveTask("other", input, { freeze: ["dense_2"] }));
    await assert.rejects(loadModel(other.topology, built.layout), {
      code: "damaged",
      message: "The model's topology and its layout differ: dense_2/kernel is parameter in the layout only.",
    });
  });

  const attacks: [string, string | Json, RegExp][] = [
    ["no JSON", "{", /is not JSON/],
    ["a number", 3, /is not a LayersModel/],
    ["null", null, /is not a LayersModel/],
    ["a bare layer", dense(first), /is not a LayersModel/],
    ["an unknown class", sequential({ class_name: "Lambda", config: {} }), /\(Lambda\) can't be trained: /],
    [
      "a class named like a property of every object",
      sequential({ class_name: "toString", config: {} }),
      /\(toString\)/,
    ],
    [
      "an unknown class inside a known one",
      sequential(dense({ ...first, kernel_initializer: { class_name: "Adam", config: {} } })),
      /\(Adam\) can't be trained/,
    ],
    [
      "a class without a configuration",
      sequential({ class_name: "Dense" }),
      /no list of layers|without a configuration/,
    ],
    ["a prototype", '{"class_name":"Sequential","config":{"layers":[],"__proto__":{"a":1}}}', /the key "__proto__"/],
    ["custom objects", sequential(dense({ ...first, custom_objects: {} })), /the key "custom_objects"/],
    ["bottomless nesting", sequential(dense({ ...first, x: nest(50) })), /nested deeper than 40 levels/],
    [
      "thousands of layers",
      sequential(...Array.from({ length: 2001 }, (_, i) => dense({ name: `d${i}` }))),
      /more than 2000 layers/,
    ],
    ["a long text", " ".repeat(2 ** 23 + 1), /has 8388609 bytes; at most 8388608/],
    ["billions of parameters", sequential(dense({ ...first, units: 5e8 })), /more than 42 parameters: with kernel/],
    ["a negative size", sequential(dense({ ...first, units: -5 })), /The model can't be built|shape \[3, -5\]/],
    ["half a unit", sequential(dense({ ...first, units: 1.5 })), /The model can't be built|shape \[3, 1.5\]/],
    [
      "a number beyond all",
      '{"class_name":"Sequential","config":{"layers":[],"a":1e400}}',
      /holds the number Infinity/,
    ],
    ["an unknown activation", sequential(dense({ ...first, activation: "exec" })), /The model can't be built: .*exec/],
    ["a model without an input", sequential(dense({})), /The model can't be built: /],
    ["an empty model", sequential(), /inputs|can't be built/],
    [
      "outputs far larger than their weights",
      sequential({
        class_name: "Conv2D",
        config: { name: "c", filters: 9, kernel_size: 1, padding: "same", batch_input_shape: [null, 20000, 20000, 1] },
      }),
      /Layer "c" outputs 3600000000 numbers per sample; it must be 1 to 268435456/,
    ],
    ["a layer that feeds itself", graph({ a: "a" }), /Layer "a" .* depends on itself/],
    ["a circle of layers", graph({ a: "b", b: "a" }), /depends on itself, or on a layer that doesn't exist/],
    ["a source that doesn't exist", graph({ a: "nobody" }), /depends on itself, or on a layer that doesn't exist/],
    ["an output that doesn't exist", graph({ a: "in" }, "nobody"), /has output_layers that don't exist/],
  ];
  for (const [name, attack, message] of attacks) {
    it(`refuses ${name}`, { timeout: 10_000 }, async () => {
      const text = typeof attack === "string" ? attack : JSON.stringify(attack);
      await assert.rejects(loadModel(text, built.layout), { name: "IsobatchError", message });
    });
  }

  it("leaves Layer.addWeight as it was after a refusal", async () => {
    const small = { ...TOPOLOGY_LIMITS, parametersMax: 10 };
    await assert.rejects(loadModel(built.topology, built.layout, small), { message: /more than 10 parameters/ });
    await loadModel(built.topology, built.layout, { ...TOPOLOGY_LIMITS, parametersMax: 1000 });
  });
});

describe("validateTopology()", () => {
  it("refuses a call that no layer makes", () => {
    const topology = graph({ a: "in" });
    topology.config.layers[1].inbound_nodes[0][0][1] = 1;
    assert.throws(() => validateTopology(JSON.stringify(topology)), /depends on itself, or on a layer that doesn't/);
    topology.config.layers[1].inbound_nodes = [["in"]];
    assert.throws(() => validateTopology(JSON.stringify(topology)), /malformed inbound node/);
    topology.config.layers[1].inbound_nodes = {};
    assert.throws(() => validateTopology(JSON.stringify(topology)), /no list of inbound nodes/);
  });

  it("refuses two layers of one name", () => {
    const topology = graph({ a: "in" });
    topology.config.layers.push(topology.config.layers[1]);
    assert.throws(() => validateTopology(JSON.stringify(topology)), /two layers called "a"/);
  });
});
