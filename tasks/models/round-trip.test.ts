import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messageOf } from "../../shared/errors.js";
import { type BuiltModel, buildFrom, type ModelTask } from "./build-model.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { declaredOptions } from "./layer-options.test.helper.js";
import { layerTable } from "./layer-table.js";
import { PositionEmbedding } from "./layers/index.js";
import {
  type Config,
  LEFT_OUT,
  OWN,
  otherValue,
  REFUSED,
  SMALLEST,
  WITHOUT_OPTIONS,
} from "./round-trip-options.test.helper.js";
import { sequentialModel } from "./sequential-model.js";
import { tensorflow as tf } from "./tensorflow.js";

const task = (kind: "module" | "sequential"): ModelTask => ({
  seed: 1,
  initialWeights: "model",
  weightDecayExclude: [],
  freeze: [],
  model: { kind } as ModelTask["model"],
});
const fromModule = (model: LayersModel): Promise<BuiltModel> => buildFrom(model, task("module"));

/** A layer between an input and one that can be trained; Merging layers get the input twice. */
function modelOf(className: string, shape: number[], config: Config): LayersModel {
  const [layerClass] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [
    new (config: Config) => Layer,
  ];
  const layer = new layerClass({ ...config, name: "x" });
  const input = tf.input({ shape });
  const merges = className === "Concatenate" || className === "Dot";
  const output = layer.apply(merges ? [input, input] : input);
  if (Array.isArray(output)) throw new Error("All layers should have a single output tensor.");
  return tf.model({ inputs: input, outputs: tf.layers.prelu({}).apply(output) as typeof input });
}

/** The model's output for a fixed sample, its weights filled with fixed numbers; or why tfjs's cpu can't compute it. */
function outputOf(model: LayersModel): number[] | string {
  return tf.tidy(() => {
    let n = 0;
    for (const weight of model.weights) {
      const size = (weight.shape as number[]).reduce((product, d) => product * d, 1);
      // Each by its own name, so that an order counts for nothing.
      const own = [...weight.originalName.split("/").at(-1)!].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
      const values = Float32Array.from({ length: size }, (_, i) => 0.1 + ((own + 7 * i) % 11) / 20);
      weight.write(tf.tensor(values, weight.shape as number[]));
    }
    const shape = [2, ...(model.inputs[0].shape.slice(1) as number[])];
    const values = Float32Array.from({ length: shape.reduce((product, d) => product * d, 1) }, () => n++ % 4);
    try {
      return [...(model.predict(tf.tensor(values, shape)) as ReturnType<typeof tf.tensor>).dataSync()];
    } catch (error) {
      return messageOf(error);
    }
  });
}

async function outcome(build: () => Promise<BuiltModel>): Promise<BuiltModel | string> {
  try {
    return await build();
  } catch (error) {
    return messageOf(error);
  }
}

/** Builds the layer in a module and, where a task file can express its configuration, from there; compares with itself. */
async function checkOption(className: string, shape: number[], config: () => Config, option: string): Promise<void> {
  const name = `${className}.${option}`;
  const refused = REFUSED.find(([options]) => options.test(name))?.[1];
  const built = await outcome(async () => fromModule(modelOf(className, shape, config())));
  const isPlain = !["cell", "layer"].some((field) => field in config()) && !["Concatenate", "Dot"].includes(className);
  const layers = [
    { layer: "InputLayer", inputShape: shape },
    { layer: className, ...config(), name: "x" },
    { layer: "PReLU" },
  ];
  const told = isPlain
    ? await outcome(async () => buildFrom(sequentialModel({ kind: "sequential", layers }), task("sequential")))
    : built;
  const expected = refused === undefined ? outputOf(modelOf(className, shape, config())) : undefined;
  for (const model of [built, told]) {
    if (refused !== undefined) {
      assert.equal(typeof model, "string", `${name} is not refused`);
      assert.match(model as string, refused, name);
    } else {
      assert.notEqual(typeof model, "string", `${name}: ${model}`);
      assert.deepEqual(outputOf((model as BuiltModel).model), expected, name);
    }
  }
}

describe("checkSettings() and checkOutputs(), for every option of every layer that is trained", () => {
  const optionsOf = declaredOptions();
  for (const className of Object.keys(layerTable).filter((name) => layerTable[name].trained)) {
    if (Object.hasOwn(OWN, className) || WITHOUT_OPTIONS.has(className)) continue;
    it(`${className}: what tfjs takes is trained as it is, or refused by name, in modules and task files alike`, async () => {
      const [shape, config] = SMALLEST[className];
      const options = optionsOf(className).filter((option) => !LEFT_OUT.has(`${className}.${option}`));
      assert.ok(options.length > 0);
      for (const option of options) {
        const value = otherValue(className, option);
        assert.notEqual(value, undefined, `no other value for ${className}'s ${option}`);
        await checkOption(className, shape, () => ({ ...config(), [option]: otherValue(className, option) }), option);
      }
    });
  }

  for (const [className, [shape, config, options]] of Object.entries(OWN)) {
    it(`${className}: its own options are trained as they are`, async () => {
      for (const [option, value] of Object.entries({ trainable: true, ...options })) {
        await checkOption(className, shape, () => ({ ...config, [option]: value }), option);
      }
    });
  }
});

describe("checkSettings()", () => {
  const dense = () => tf.layers.dense({ units: 2, inputShape: [3], name: "d" });

  it("refuses a setting that the JSON loses, by layer and field, also in a nested model", async () => {
    const inner = tf.layers.conv2dTranspose({
      filters: 4,
      kernelSize: 2,
      dilationRate: 2,
      inputShape: [5, 6, 3],
      name: "grow",
    });
    const base = tf.sequential({ name: "base", layers: [inner] });
    await assert.rejects(
      fromModule(tf.sequential({ layers: [base, tf.layers.flatten(), tf.layers.dense({ units: 1 })] })),
      {
        name: "IsobatchError",
        message:
          /^Layer "base\/grow" \(Conv2DTranspose\) can't be trained as it was made: its dilationRate is \[2,2\], and becomes/,
      },
    );
  });

  it("takes unnamed models in models, under the same names, regardless of what was made before", async () => {
    const nested = () =>
      tf.sequential({
        layers: [tf.sequential({ layers: [dense(), tf.layers.dropout({ rate: 0.5 })] }), tf.layers.reLU()],
      });
    const functional = () => {
      const x = tf.input({ shape: [3] });
      return tf.model({ inputs: x, outputs: nested().apply(x) as typeof x });
    };
    for (const make of [nested, functional]) {
      const [first, second] = [await fromModule(make()), await fromModule(make())];
      assert.equal(second.topology, first.topology);
      assert.match(first.topology, /"sequential_1"/);
    }
  });

  it("refuses a layer whose code was replaced", async () => {
    const layer = dense();
    layer.call = (x) => x as never;
    await assert.rejects(fromModule(tf.sequential({ layers: [layer] })), {
      message: /"d" \(Dense\).* its call is custom code/,
    });
  });

  it("refuses a layer that two inner models share", async () => {
    const layer = dense();
    const inner = (name: string) => {
      const x = tf.input({ shape: [3] });
      return tf.model({ name, inputs: x, outputs: layer.apply(x) as typeof x });
    };
    const x = tf.input({ shape: [3] });
    const sum = tf.layers.add().apply([inner("a").apply(x), inner("b").apply(x)] as never[]);
    await assert.rejects(fromModule(tf.model({ inputs: x, outputs: sum as typeof x })), {
      message: /^Weight b\/d\/kernel of the model is also a\/d\/kernel/,
    });
  });
});

describe("checkOutputs()", () => {
  it("refuses a class of the module's own under a known name, by its outputs", async () => {
    class Doubled extends PositionEmbedding {
      override call(inputs: Parameters<PositionEmbedding["call"]>[0]): ReturnType<PositionEmbedding["call"]> {
        return tf.mul(super.call(inputs), 2);
      }
    }
    await assert.rejects(fromModule(tf.sequential({ layers: [new Doubled({ inputShape: [3, 2], name: "p" })] })), {
      message: /^Layer "p" \(PositionEmbedding\) outputs \S+ instead of \S+ once the model is rebuilt from its JSON/,
    });
  });

  it("lets layers that cost too much pass on drawn numbers, and still compares those after them", async () => {
    class Doubled extends PositionEmbedding {
      override call(inputs: Parameters<PositionEmbedding["call"]>[0]): ReturnType<PositionEmbedding["call"]> {
        return tf.mul(super.call(inputs), 2);
      }
    }
    // 9 · 64 · 64 weights, each used 80 · 80 times: 236 million multiplications, some seconds.
    const large = () => [
      tf.layers.conv2d({ filters: 64, kernelSize: 3, inputShape: [80, 80, 64], kernelInitializer: "zeros" }),
      tf.layers.globalAveragePooling2d({ dataFormat: "channelsLast" }),
      tf.layers.reshape({ targetShape: [8, 8] }),
    ];
    await fromModule(tf.sequential({ layers: large() }));
    await assert.rejects(fromModule(tf.sequential({ layers: [...large(), new Doubled({ name: "p" })] })), {
      message: /^Layer "p" \(PositionEmbedding\) outputs/,
    });
  });
});
