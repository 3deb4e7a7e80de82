import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BuiltModel, buildFrom, type ModelTask } from "./build-model.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { loadModel } from "./load-model.js";
import { sequentialModel } from "./sequential-model.js";
import { tensorflow as tf } from "./tensorflow.js";

const task = (freeze: string[] = [], initialWeights: "model" | "seeded" = "model"): ModelTask => ({
  seed: 1,
  initialWeights,
  weightDecayExclude: ["*/bias"],
  freeze,
  model: { kind: "module" } as ModelTask["model"],
});

type Shape = "Sequential" | "functional" | "nested twice";
type Symbolic = ReturnType<typeof tf.input>;

/** What each layer's weights are filled with, and what they are called in the layout. */
const FILLED = { a: 1, b: 2, c: 3, head: 4 } as const;
type Name = keyof typeof FILLED;

const INNER: Record<Shape, string> = { Sequential: "base", functional: "base", "nested twice": "outer/base" };

/** Layers a, b and c, of which the first two are in a model `base`, and a head. @param width of each layer. */
function pretrained(shape: Shape, widths: Record<Name, number>): { model: LayersModel; base: LayersModel } {
  const dense = (name: Name, inputShape?: number[]) => tf.layers.dense({ name, units: widths[name], inputShape });
  const chain = (name: string, size: number, layers: { apply(x: Symbolic): unknown }[]): LayersModel => {
    const x = tf.input({ shape: [size] });
    return tf.model({ name, inputs: x, outputs: layers.reduce((y, layer) => layer.apply(y) as Symbolic, x) });
  };
  let base: LayersModel;
  let model: LayersModel;
  if (shape === "Sequential") {
    base = tf.sequential({ name: "base", layers: [dense("a", [4]), dense("b")] });
    model = tf.sequential({ layers: [base, dense("c"), dense("head")] });
  } else if (shape === "functional") {
    base = chain("base", 4, [dense("a"), dense("b")]);
    model = chain("model", 4, [base, dense("c"), dense("head")]);
  } else {
    base = tf.sequential({ name: "base", layers: [dense("a", [4]), dense("b")] });
    const outer = chain("outer", 4, [base, dense("c")]);
    model = tf.sequential({ layers: [outer, dense("head")] });
  }
  for (const weight of model.weights) {
    const name = weight.originalName.split("/")[0] as Name;
    // A bias differs from its kernel in sign.
    const value = weight.originalName.endsWith("/bias") ? -FILLED[name] : FILLED[name];
    weight.write(tf.fill(weight.shape as number[], value));
  }
  return { model, base };
}

/** [kind, the one value that all its elements have] of each tensor. */
function tensorsOf({ layout, initialWeights }: BuiltModel): Record<string, [kind: string, value: number]> {
  return Object.fromEntries(
    layout.tensors.map(({ name, kind, offset, length }) => {
      const values = new Set(initialWeights.subarray(offset, offset + length));
      assert.equal(values.size, 1, `${name} holds ${[...values]}`);
      return [name, [kind, [...values][0]]];
    }),
  );
}

const FREEZES = {
  "the freeze field": (_: LayersModel, inner: string) => [`${inner}/a`],
  "the freeze field on the inner model": (_: LayersModel, inner: string) => [inner],
  "a layer's flag": (base: LayersModel) => {
    base.layers.find(({ name }) => name === "a")!.trainable = false;
    return [];
  },
  "the inner model's flag": (base: LayersModel) => {
    base.trainable = false;
    return [];
  },
  nothing: () => [],
};

const FROZEN: Record<keyof typeof FREEZES, Name[]> = {
  "the freeze field": ["a"],
  "the freeze field on the inner model": ["a", "b"],
  "a layer's flag": ["a"],
  "the inner model's flag": ["a", "b"],
  nothing: [],
};

const WIDTHS = {
  equal: { a: 4, b: 4, c: 4, head: 4 },
  unequal: { a: 5, b: 3, c: 7, head: 2 },
};

describe('buildModel() with initialWeights: "model"', () => {
  for (const shape of ["Sequential", "functional", "nested twice"] as const) {
    for (const [sizes, widths] of Object.entries(WIDTHS)) {
      for (const [how, freeze] of Object.entries(FREEZES)) {
        it(`keeps each layer's weights where they were: ${shape}, ${sizes} shapes, frozen by ${how}`, async () => {
          const { model, base } = pretrained(shape, widths);
          const built = await buildFrom(model, task(freeze(base, INNER[shape])));
          const expected = Object.entries(FILLED).flatMap(([name, value]) => {
            const kind = FROZEN[how as keyof typeof FREEZES].includes(name as Name) ? "frozen" : "parameter";
            return [
              [`${name}/kernel`, [kind, value]],
              [`${name}/bias`, [kind, -value]],
            ];
          });
          assert.deepEqual(tensorsOf(built), Object.fromEntries(expected));
          // The worker's side, from the topology only.
          const { model: there, tensors } = await loadModel(built.topology, built.layout);
          assert.equal(there.trainableWeights.length, 2 * (4 - FROZEN[how as keyof typeof FREEZES].length));
          for (const { name, shape: size } of built.layout.tensors) assert.deepEqual(tensors.get(name)?.shape, size);
        });
      }
    }
  }
});

describe("freezing", () => {
  /** Two models in a row, whose layers have the same names. */
  const twins = (): LayersModel => {
    const inner = (name: string) =>
      tf.sequential({ name, layers: [tf.layers.dense({ units: 3, inputShape: [3], name: "d" })] });
    const model = tf.sequential({ layers: [inner("first"), inner("second")] });
    for (const [i, weight] of model.weights.entries()) weight.write(tf.fill(weight.shape as number[], i + 1));
    return model;
  };

  it("does not change which of two weights of one name has which name, decay and values", async () => {
    const free = await buildFrom(twins(), task());
    assert.deepEqual(tensorsOf(free), {
      "d/kernel": ["parameter", 1],
      "d/bias": ["parameter", 2],
      "d/kernel_2": ["parameter", 3],
      "d/bias_2": ["parameter", 4],
    });
    assert.deepEqual(
      free.layout.tensors.map(({ decay }) => decay),
      [true, false, true, false],
    );
    assert.deepEqual(tensorsOf(await buildFrom(twins(), task(["first"]))), {
      "d/kernel": ["frozen", 1],
      "d/bias": ["frozen", 2],
      "d/kernel_2": ["parameter", 3],
      "d/bias_2": ["parameter", 4],
    });
    const [drawn, drawnFrozen] = await Promise.all(
      [[], ["first"]].map(async (freeze) => buildFrom(twins(), task(freeze, "seeded"))),
    );
    const kernelOf = ({ layout, initialWeights }: BuiltModel) => {
      const { offset, length } = layout.tensors.find(({ name }) => name === "d/kernel_2")!;
      return initialWeights.slice(offset, offset + length);
    };
    assert.deepEqual(kernelOf(drawnFrozen), kernelOf(drawn));
  });

  const sequence = { inputShape: [4, 3], returnSequences: true, recurrentInitializer: "glorotUniform" as const };
  const wrappers: Record<string, () => Layer> = {
    TimeDistributed: () =>
      tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2 }), name: "w", inputShape: [4, 3] }),
    Bidirectional: () =>
      tf.layers.bidirectional({
        name: "w",
        inputShape: [4, 3],
        mergeMode: "concat",
        layer: tf.layers.lstm({ units: 2, ...sequence }) as never,
      }),
    LSTM: () => tf.layers.lstm({ units: 2, name: "w", ...sequence }),
    RNN: () => tf.layers.rnn({ cell: [tf.layers.gruCell({ units: 2 })], name: "w", ...sequence }),
    BatchNormalization: () => tf.layers.batchNormalization({ name: "w", inputShape: [4, 3] }),
  };
  for (const [className, make] of Object.entries(wrappers)) {
    for (const how of ["the freeze field", "its flag", "the flag of a model around it"]) {
      it(`reaches all that is inside of a ${className}, by ${how}`, async () => {
        const layer = make();
        const base = tf.sequential({ name: "base", layers: [layer] });
        if (how === "its flag") layer.trainable = false;
        if (how === "the flag of a model around it") base.trainable = false;
        const model = tf.sequential({
          layers: [base, tf.layers.flatten(), tf.layers.dense({ units: 1, name: "head" })],
        });
        const { layout } = await buildFrom(model, task(how === "the freeze field" ? ["base/w"] : []));
        for (const { name, kind } of layout.tensors) {
          assert.equal(kind, name.startsWith("head/") ? "parameter" : "frozen", name);
        }
      });
    }
  }

  it("takes the flag that a wrapper was made with, in a module and in a task file", async () => {
    const inner = () => tf.layers.dense({ units: 2 });
    const module = tf.sequential({
      layers: [
        tf.layers.timeDistributed({ layer: inner(), name: "w", trainable: false, inputShape: [4, 3] }),
        tf.layers.dense({ units: 1, name: "head" }),
      ],
    });
    const file = sequentialModel({
      kind: "sequential",
      layers: [
        {
          layer: "TimeDistributed",
          wraps: { layer: "Dense", units: 2 },
          name: "w",
          trainable: false,
          inputShape: [4, 3],
        },
        { layer: "Dense", units: 1, name: "head" },
      ],
    });
    for (const model of [module, file]) {
      const { layout } = await buildFrom(model, task());
      const kinds = layout.tensors.map(({ name, kind }) => `${name} ${kind}`);
      assert.deepEqual(kinds.sort(), [
        "head/bias parameter",
        "head/kernel parameter",
        "w/bias frozen",
        "w/kernel frozen",
      ]);
    }
  });

  it("refuses a layer of which some weights are frozen, by name", async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3], name: "d" })] });
    model.layers[0].trainableWeights[1].trainable = false;
    await assert.rejects(buildFrom(model, task()), { message: /^Weight d\/bias would be trained, .* whole layer "d"/ });
  });

  it("refuses a pattern of a layer inside a wrapper, and lists what there is", async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2, name: "d" }), name: "w", inputShape: [4, 3] }),
      ],
    });
    await assert.rejects(buildFrom(model, task(["w/d"])), {
      message: /"w\/d", which matches no layer; the layers are w\./,
    });
  });
});
