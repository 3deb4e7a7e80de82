import assert from "node:assert/strict";
import { describe, it } from "node:test";
import "@tensorflow/tfjs-backend-cpu";
import { input, type LayersModel, layers, model, sequential } from "@tensorflow/tfjs-layers";
import { validateTopology } from "./validate-topology.js";

const topologyOf = (of: LayersModel): string => of.toJSON() as string;
const refused = /\(BatchNormalization\) can't be trained: it is called more than once for a micro-batch/;

describe("a BatchNormalization that is called more than once for a micro-batch", () => {
  it("is refused when two layers share it", () => {
    const from = input({ shape: [3] });
    const shared = layers.batchNormalization();
    const outputs = [layers.dense({ units: 3 }), layers.dense({ units: 3 })].map((dense) =>
      shared.apply(dense.apply(from)),
    );
    const twice = model({ inputs: from, outputs: layers.add().apply(outputs as never) as never });
    assert.throws(() => validateTopology(topologyOf(twice)), refused);
  });

  it("is refused inside TimeDistributed, also in a model that is repeated there", () => {
    const inner = sequential({ layers: [layers.batchNormalization({ inputShape: [3] })] });
    for (const layer of [layers.batchNormalization(), inner]) {
      const steps = sequential({ layers: [layers.timeDistributed({ layer, inputShape: [2, 3] })] });
      assert.throws(() => validateTopology(topologyOf(steps)), refused);
    }
  });

  it("is not confused with another layer, or one that is called once next to a shared one", () => {
    const from = input({ shape: [3] });
    const shared = layers.dense({ units: 3 });
    const once = layers.batchNormalization().apply(shared.apply(shared.apply(from)));
    validateTopology(topologyOf(model({ inputs: from, outputs: once as never })));
  });
});
