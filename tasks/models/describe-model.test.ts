import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ModelSpec } from "../task.js";
import { buildFrom, buildModel, type ModelTask } from "./build-model.js";
import { describeModel } from "./describe-model.js";
import { tensorflow as tf } from "./tensorflow.js";

const taskOf = (model: ModelSpec): ModelTask => ({
  seed: 0,
  model,
  initialWeights: "seeded",
  weightDecayExclude: [],
  freeze: [],
});
const dense = (units: number) => tf.layers.dense({ units });

describe("describeModel()", () => {
  it("counts a sequential model's layers", async () => {
    const flatten = { layer: "Flatten", inputShape: [28, 28, 1] };
    const layers = [flatten, { layer: "Dense", units: 4 }, { layer: "Dense", units: 4 }, { layer: "Dense", units: 2 }];
    const model = { kind: "sequential", layers } as const;
    const { topology } = await buildModel(taskOf(model));
    assert.deepEqual(describeModel(model, topology), { kind: "sequential", layers: 4 });
  });

  it("counts the layers inside a model's models, and no inputs", async () => {
    const body = tf.sequential({ name: "body", layers: [tf.layers.flatten({ inputShape: [4, 4] }), dense(3)] });
    const input = tf.input({ shape: [4, 4] });
    const output = dense(2).apply(body.apply(input)) as typeof input;
    const model = { kind: "module", path: "model.js", hash: "" } as const;
    const { topology } = await buildFrom(tf.model({ inputs: input, outputs: output }), taskOf(model));
    assert.deepEqual(describeModel(model, topology), { kind: "functional", layers: 3 });
  });

  it("calls a built-in model by its name", async () => {
    const sizes = { layers: 1, heads: 1, width: 8, dropout: 0, mlpWidth: null };
    const model = { kind: "gpt", ...sizes, vocabulary: 5, context: 4 } as const;
    const { topology } = await buildModel(taskOf(model));
    assert.equal(describeModel(model, topology).kind, "gpt");
  });
});
