import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildFrom } from "../../tasks/models/build-model.js";
import type { LayersModel } from "../../tasks/models/capture-weights.js";
import { tensorflow as tf } from "../../tasks/models/index.js";
import { exportTfjs, plainDifferences } from "./index.js";
import { predictInPlainTfjs } from "./plain-tfjs.test.helper.js";

type Symbolic = LayersModel["inputs"][number];

const REMEDY =
  'import "isobatch/layers" in the program that loads the model, and its predict() computes what Isobatch does.';

/** Recurrent branches over the same words, of which "marked" takes zeros for steps that are not there. */
function branches(names: readonly string[]): LayersModel {
  const x = tf.input({ shape: [6] });
  const ends = names.map((name) => {
    const maskZero = name === "marked";
    const words = tf.layers.embedding({ inputDim: 5, outputDim: 3, maskZero, name: `words_${name}` }).apply(x);
    return tf.layers.gru({ units: 2, name, biasInitializer: "randomNormal" }).apply(words as Symbolic) as Symbolic;
  });
  const joined = ends.length === 1 ? ends[0] : tf.layers.concatenate({ name: "joined" }).apply(ends);
  return tf.model({ inputs: x, outputs: joined as Symbolic });
}

/** A bias of channels that come first, which tfjs adds along the height. */
function separable(): LayersModel {
  const convolution = tf.layers.separableConv2d({
    filters: 4,
    kernelSize: 2,
    dataFormat: "channelsFirst" as const,
    biasInitializer: "randomNormal" as const,
    name: "separable",
    inputShape: [2, 5, 5],
  });
  return tf.sequential({
    layers: [convolution, tf.layers.flatten({ name: "flat" }), tf.layers.dense({ units: 2, name: "head" })],
  });
}

function dilated(): LayersModel {
  const convolution = tf.layers.depthwiseConv2d({
    kernelSize: 2,
    dilationRate: 2,
    name: "dilated",
    inputShape: [5, 5, 2],
  });
  return tf.sequential({
    layers: [convolution, tf.layers.flatten({ name: "flat" }), tf.layers.dense({ units: 2, name: "head" })],
  });
}

/** Nothing that tfjs computes otherwise, a mask included. */
function sound(): LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: 5, outputDim: 4, maskZero: true, inputLength: 6, name: "words" }),
      tf.layers.layerNormalization({ name: "normal" }),
      tf.layers.lstm({ units: 3, name: "lstm" }),
      tf.layers.dense({ units: 2, name: "head" }),
    ],
  });
}

/** 70 million multiplications. */
function large(): LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ units: 1100, name: "large", inputShape: [64, 1000] }),
      tf.layers.flatten({ name: "flat" }),
      tf.layers.dense({ units: 1, name: "head" }),
    ],
  });
}

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), "isobatch-plain-"));
});
after(() => rmSync(root, { recursive: true }));

/** Exports the model with weights that its initialisers draw. */
async function exported(name: string, make: () => LayersModel) {
  await tf.setBackend("cpu");
  const task = { seed: 3, initialWeights: "seeded" as const, weightDecayExclude: [], freeze: [] };
  const { topology, layout, initialWeights } = await buildFrom(make(), { ...task, model: { kind: "module" } as never });
  const folder = join(root, name);
  await exportTfjs(topology, layout, initialWeights, folder);
  return { folder, topology };
}

async function sentencesOf(name: string, make: () => LayersModel): Promise<string[]> {
  const { folder, topology } = await exported(name, make);
  return plainDifferences(folder, topology);
}

describe("plainDifferences()", () => {
  it("names the layer that is given another branch's mask", async () => {
    const sentences = await sentencesOf("branches", () => branches(["unmarked", "marked"]));
    assert.equal(sentences.length, 1);
    assert.match(
      sentences[0],
      /^In plain TensorFlow\.js the exported model .* where steps are masked: layer "unmarked" \(GRU\) outputs \S+ instead of \S+, because /,
    );
    assert.ok(sentences[0].endsWith(REMEDY));
  });

  it("names the layer that treats its settings differently, and none that follows", async () => {
    const sentences = await sentencesOf("separable", separable);
    assert.equal(sentences.length, 1);
    assert.match(
      sentences[0],
      /^In plain TensorFlow\.js the exported model computes something else: layer "separable" \(SeparableConv2D\) outputs \S+ instead of \S+, because /,
    );
    assert.ok(sentences[0].endsWith(REMEDY));
  });

  it("says so where the model can't be loaded at all", async () => {
    const sentences = await sentencesOf("dilated", dilated);
    assert.equal(sentences.length, 1);
    assert.match(
      sentences[0],
      /^Plain TensorFlow\.js can't compute the exported model \(".*"\)\. import "isobatch\/layers" /,
    );
  });

  it("reports nothing for a model that computes the same", async () => {
    assert.deepEqual(await sentencesOf("sound", sound), []);
  });

  it("names the layers that would take too long", async () => {
    const sentences = await sentencesOf("large", large);
    assert.deepEqual(sentences, [
      'Not compared with plain TensorFlow.js, because computing them here would take too long: layer "large" (Dense).',
    ]);
  });
});

describe("isobatch/layers", () => {
  it("makes predict() of another program compute a branch without a mask as if it were the only one", async () => {
    const inputs = { values: [1, 2, 0, 3, 0, 0, 0, 4, 1, 0, 2, 3], shape: [2, 6] };
    const both = await exported("both", () => branches(["unmarked", "marked"]));
    // Where there is no mask at all, tfjs is right.
    const one = await exported("one", () => branches(["unmarked"]));
    const alone = predictInPlainTfjs(one.folder, inputs);
    const unmarked = (outputs: number[]) => outputs.filter((_, i) => i % 4 < 2);
    assert.notDeepEqual(unmarked(predictInPlainTfjs(both.folder, inputs)), alone);
    assert.deepEqual(unmarked(predictInPlainTfjs(both.folder, inputs, ["isobatch/layers"])), alone);
  });
});
