import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { ALL } from "../../../shared/all-cases.test.helper.js";
import type { SampleSpec } from "../../datasets/index.js";
import { type ModelSpec, taskInputSchema } from "../../task.js";
import { buildModel } from "../build-model.js";
import { onCpu, tensorflow as tf } from "../tensorflow.js";

/** Made by bench/peers/forward.py; its head says how the weights and inputs follow from a formula. */
interface Forward {
  readonly models: Record<
    string,
    {
      readonly model: object;
      readonly tensors: readonly { name: string; shape: number[] }[];
      readonly output: readonly number[];
    }
  >;
}
const forward = JSON.parse(readFileSync(new URL("./forward.test.json", import.meta.url), "utf8")) as Forward;

const images = (side: number, classes: number): SampleSpec => ({
  input: { shape: [side, side, 3], type: "uint8", scale: 1 / 255 },
  label: { shape: [], type: "uint8", classes },
});
const characters = (context: number, vocabulary: number): SampleSpec => ({
  input: { shape: [context], type: "uint8", scale: 1 },
  label: { shape: [context], type: "uint8", classes: vocabulary },
});

/** A model's spec as a task file has it, with the defaults filled in. */
const specOf = (model: object): ModelSpec => taskInputSchema.shape.model.parse(model);

const build = (model: object, form: SampleSpec) =>
  buildModel({ seed: 1, model: specOf(model), initialWeights: "seeded", weightDecayExclude: [], freeze: [] }, form);

const formula = (k: number, length: number, factor = 0.3, offset = 0): Float32Array =>
  Float32Array.from({ length }, (_, i) => offset + factor * Math.sin(1 + 7 * k + 1.3 * i));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe("the parameters of the built-in models, counted by hand", () => {
  it("are those of ResNet-18 for small images", async () => {
    const norm = (channels: number): number => 2 * channels;
    const conv = (size: number, from: number, to: number): number => size * size * from * to + norm(to);
    const stages = [64, 128, 256, 512].map((to, i) => {
      const from = i === 0 ? 64 : to / 2;
      return conv(3, from, to) + 3 * conv(3, to, to) + (i === 0 ? 0 : conv(1, from, to));
    });
    const expected = conv(3, 3, 64) + sum(stages) + 512 * 10 + 10;
    const { layout } = await build({ kind: "resnet18" }, images(32, 10));
    assert.equal(layout.parameters, expected);
    assert.equal(expected, 11_173_962); // as PyTorch counts its own
    // Mean and variance of the stem's 64 channels, the blocks' and the projections'.
    assert.equal(layout.tail, 2 * (64 + 4 * 64 + 5 * (128 + 256 + 512)));
  });

  it("are the same without BatchNorm, but for the moving statistics", async () => {
    for (const normalization of ALL ? ["layer", "group"] : ["group"]) {
      const { layout } = await build({ kind: "resnet18", normalization }, images(32, 10));
      assert.equal(layout.parameters, 11_173_962);
      assert.equal(layout.tail, 0);
    }
  });

  it("are those of the paper's ViT", async () => {
    const [width, mlp, patches] = [384, 384, 8 * 8];
    const dense = (from: number, to: number): number => from * to + to;
    const block = 2 * 2 * width + dense(width, 3 * width) + dense(width, width) + dense(width, mlp) + dense(mlp, width);
    const expected = dense(4 * 4 * 3, width) + width + (patches + 1) * width + 7 * block + 2 * width + dense(width, 10);
    const { layout } = await build({ kind: "vit" }, images(32, 10));
    assert.equal(layout.parameters, expected);
  });

  it("are those of nanoGPT for characters", async () => {
    const width = 384;
    const block = 2 * width + width * 3 * width + width * width + 2 * width * 4 * width;
    const expected = 65 * width + 256 * width + 6 * block + width;
    const { layout } = await build({ kind: "gpt" }, characters(256, 65));
    assert.equal(layout.parameters, expected);
    assert.equal(expected - 256 * width, 10_646_784); // "10.65M" there, which leaves the positions out
  });
});

describe("a forward pass of the built-in models", () => {
  const inputs: Record<string, { form: SampleSpec; values: Float32Array; shape: number[] }> = {
    resnet18: { form: images(8, 3), values: formula(1000, 2 * 8 * 8 * 3, 1), shape: [2, 8, 8, 3] },
    vit: { form: images(8, 3), values: formula(1000, 2 * 8 * 8 * 3, 1), shape: [2, 8, 8, 3] },
    gpt: {
      form: characters(5, 7),
      values: Float32Array.from({ length: 10 }, (_, i) => (3 * Math.floor(i / 5) + (i % 5) ** 2) % 7),
      shape: [2, 5],
    },
  };

  for (const [name, { model: spec, tensors, output }] of Object.entries(forward.models)) {
    it(`of ${name} is PyTorch's, weight by weight in the same order`, async () => {
      const { form, values, shape } = inputs[name];
      const { model, layout } = await build(spec, form);
      const trained = layout.tensors.filter(({ kind }) => kind === "parameter");
      assert.deepEqual(
        trained.map(({ name, shape }) => ({ name, shape })),
        tensors,
      );
      const byName = new Map(model.weights.map((weight) => [weight.originalName, weight]));
      onCpu(() =>
        tf.tidy(() => {
          trained.forEach(({ name, shape, length }, k) => {
            const values = formula(k, length, 0.3, name.endsWith("gamma") ? 1 : 0);
            byName.get(name)!.write(tf.tensor(values, [...shape]));
          });
          const found = (
            model.apply(tf.tensor(values, shape), { training: true }) as InstanceType<typeof tf.Tensor>
          ).dataSync();
          assert.equal(found.length, output.length);
          output.forEach((expected, i) => {
            assert.ok(Math.abs(found[i] - expected) <= 1e-4, `${i}: ${found[i]}, not ${expected}`);
          });
        }),
      );
    });
  }
});

describe("builtInModel()", () => {
  it("names the sizes that don't fit each other", async () => {
    await assert.rejects(
      build({ kind: "gpt", heads: 5 }, characters(8, 9)),
      /model\.heads is 5, which must divide model\.width, 384/,
    );
    await assert.rejects(
      build({ kind: "vit", patch: 5 }, images(32, 10)),
      /model\.patch is 5, which must divide the image's sides, 32 and 32/,
    );
  });

  it("names data of another form", async () => {
    await assert.rejects(
      build({ kind: "resnet18" }, characters(8, 9)),
      /takes images of \[height, width, channels\], and .* \[8\]/,
    );
  });

  it("names a size that is not the data's", async () => {
    for (const [model, form, message] of [
      [{ kind: "gpt", context: 10 }, characters(8, 9), /model\.context is 10, but the data set has 8; leave it out/],
      [{ kind: "gpt", vocabulary: 65 }, characters(8, 9), /model\.vocabulary is 65, but the data set has 9/],
      [{ kind: "vit", classes: 100 }, images(32, 10), /model\.classes is 100, but the data set has 10/],
      [{ kind: "resnet18", inputShape: [8, 8, 1] }, images(8, 3), /model\.inputShape is \[8,8,1\], .* has \[8,8,3\]/],
    ] as const) {
      await assert.rejects(build(model, form), message);
    }
  });

  it("takes the sizes that the data has, also if the model repeats them", async () => {
    const told = await build({ kind: "gpt", layers: 1, context: 8, vocabulary: 9 }, characters(8, 9));
    const taken = await build({ kind: "gpt", layers: 1 }, characters(8, 9));
    assert.equal(told.topology, taken.topology);
    assert.deepEqual(taken.model.outputs[0].shape, [null, 8, 9]);
  });
});
