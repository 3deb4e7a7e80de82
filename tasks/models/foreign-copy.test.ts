import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { before, describe, it } from "node:test";
import { buildFrom, type ModelTask } from "./build-model.js";
import type { LayersModel } from "./capture-weights.js";
import { unregistered } from "./module-model.js";
import { type TensorFlow, tensorflow } from "./tensorflow.js";

/** TensorFlow.js once more, as a task module in a folder with its own packages has it. */
function anotherCopy(): TensorFlow {
  const require = createRequire(import.meta.url);
  const [core, layers] = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-layers"].map((name) => require.resolve(name));
  for (const path of Object.keys(require.cache)) if (path.includes("@tensorflow/")) delete require.cache[path];
  return { ...require(core), ...require(layers) };
}

const task = { seed: 1, initialWeights: "model", weightDecayExclude: [], freeze: [], model: { kind: "module" } };
const build = (model: unknown) => buildFrom(unregistered(model as LayersModel), task as unknown as ModelTask);

describe("buildModel() of a module that has its own copy of TensorFlow.js", () => {
  let tf: TensorFlow;
  before(() => {
    tf = anotherCopy();
    assert.notEqual(tf.sequential, tensorflow.sequential);
  });

  it("takes its layers under their names, frozen and nested, and its weights", async () => {
    const base = tf.sequential({ name: "base", layers: [tf.layers.dense({ units: 3, inputShape: [2], name: "a" })] });
    const model = tf.sequential({ layers: [base, tf.layers.dense({ units: 1, name: "head" })] });
    for (const weight of model.weights) weight.write(tf.fill(weight.shape as number[], weight.shape.length));
    base.trainable = false;
    const { layout, initialWeights } = await build(model);
    assert.deepEqual(
      layout.tensors.map(({ name, kind }) => `${name} ${kind}`),
      ["head/kernel parameter", "head/bias parameter", "a/kernel frozen", "a/bias frozen"],
    );
    assert.deepEqual([...initialWeights], [2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1]);
  });

  it("refuses a setting that this copy does not write to JSON, by layer and field", async () => {
    const layer = tf.layers.separableConv2d({
      filters: 1,
      kernelSize: 2,
      depthMultiplier: 2,
      inputShape: [3, 3, 1],
      name: "s",
    });
    await assert.rejects(build(tf.sequential({ layers: [layer] })), {
      message:
        /^Layer "s" \(SeparableConv2D\) can't be trained as it was made: its depthMultiplier is 2, and becomes 1 /,
    });
  });
});
