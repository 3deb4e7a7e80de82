import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { layers, regularizers } from "@tensorflow/tfjs-layers";
import { type Layer, lossOf } from "../../tasks/index.js";
import { GroupNormalization } from "../../tasks/models/layers/index.js";
import { type BackendName, openBackend, probeBackend } from "./index.js";
import { callGradient } from "./kernel-agreement.test.helper.js";
import { layerCases } from "./layer-cases.test.helper.js";

interface Stored {
  readonly shape: number[];
  readonly values: readonly number[];
}

/** Made by bench/peers/kinks.py, with Keras and TensorFlow. */
interface Case {
  readonly name: string;
  readonly inputs: readonly Stored[];
  readonly weights: readonly Stored[];
  readonly outputWeights: Stored;
  readonly output: Stored;
  /** Of the inputs, unless they are integers, then of the weights. */
  readonly gradients: readonly Stored[];
}
const { cases } = JSON.parse(readFileSync(new URL("./kinks.test.json", import.meta.url), "utf8")) as { cases: Case[] };

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

/** What a case asks of tfjs, by the beginning of its name; the longest one that fits counts. */
const operations: Record<string, () => Layer | Layer[] | Operation> = {
  ...Object.fromEntries(
    ["elu", "selu", "relu", "relu6", "linear", "sigmoid", "hardSigmoid", "softplus", "softsign", "tanh", "gelu"]
      .concat("gelu_new", "mish", "swish", "softmax", "logSoftmax")
      .map((activation) => [`Activation ${activation}`, () => layers.activation({ activation: activation as "elu" })]),
  ),
  ReLU: () => layers.reLU({}),
  "ReLU up to 6": () => layers.reLU({ maxValue: 6 }),
  "ReLU up to 2.5": () => layers.reLU({ maxValue: 2.5 }),
  LeakyReLU: () => layers.leakyReLU({ alpha: 0.25 }),
  PReLU: () => layers.prelu({}),
  ELU: () => layers.elu({}),
  ThresholdedReLU: () => layers.thresholdedReLU({ theta: 1 }),
  Softmax: () => layers.softmax({ axis: -1 }),
  Maximum: () => layers.maximum(),
  Minimum: () => layers.minimum(),
  Multiply: () => layers.multiply(),
  GlobalMaxPooling1D: () => layers.globalMaxPooling1d({}),
  GlobalMaxPooling2D: () => layers.globalMaxPooling2d({ dataFormat: "channelsLast" }),
  "GlobalMaxPooling2D, channels first": () => layers.globalMaxPooling2d({ dataFormat: "channelsFirst" }),
  MaxPooling1D: () => layers.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" }),
  MaxPooling2D: () => layers.maxPooling2d({}),
  "MaxPooling2D, overlapping": () => layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }),
  MaxPooling3D: () => layers.maxPooling3d({ poolSize: 2, padding: "same" }),
  "Embedding of repeated tokens": () => layers.embedding({ inputDim: 4, outputDim: 3 }),
  "Embedding under a global maximum": () => [
    layers.embedding({ inputDim: 4, outputDim: 3 }),
    layers.globalMaxPooling1d({}),
  ],
  L1L2: () => (x) => regularizers.l1l2({ l1: 0.2, l2: 0.3 }).apply(x),
  Masking: () => layers.masking({}),
  BatchNormalization: () => layers.batchNormalization({}),
  LayerNormalization: () => layers.layerNormalization({}),
  GroupNormalization: () => new GroupNormalization({ groups: 2 }),
  "Dot, normalized": () => layers.dot({ axes: -1, normalize: true }),
  softmaxCrossEntropy: () => (x) => lossOf("softmaxCrossEntropy")(tf.tensor1d([0, 1, 2, 2], "int32"), x),
  binaryCrossEntropy: () => (x) => lossOf("binaryCrossEntropy")(TARGETS(), x),
  meanSquaredError: () => (x) => lossOf("meanSquaredError")(TARGETS(), x),
};
const TARGETS = () => tf.tensor([0, 1, 0, 1, 1, 0, 0, 1], [2, 4]);

const operationOf = (name: string) => {
  const fitting = Object.keys(operations).filter((start) => name === start || /^[ ,]/.test(name.slice(start.length)));
  const [longest] = fitting.filter((start) => name.startsWith(start)).sort((a, b) => b.length - a.length);
  return operations[longest]();
};

function measure({ name, inputs, weights, outputWeights, gradients }: Case) {
  const operation = operationOf(name);
  const chain = typeof operation === "function" ? [] : [operation].flat();
  const isInteger = gradients.length < inputs.length + weights.length;
  const tensorOf = ({ values, shape }: Stored): tf.Tensor => tf.tensor(Float32Array.from(values), shape);
  const found = tf.tidy(() => {
    const given = inputs.map((x) => (isInteger ? tf.cast(tensorOf(x), "int32") : tf.variable(tensorOf(x))));
    const apply = (): tf.Tensor => {
      if (typeof operation === "function") return operation(...given);
      const [first, ...others] = chain;
      const y = first.apply(given.length === 1 ? given[0] : given, { training: true }) as tf.Tensor;
      return others.reduce((x, layer) => layer.apply(x) as tf.Tensor, y);
    };
    apply(); // Makes the weights.
    const variables = chain.flatMap((layer) => layer.trainableWeights);
    for (const [i, weight] of variables.entries()) weight.write(tensorOf(weights[i]));
    const trained = variables.map((weight) => weight.read() as tf.Variable);
    const all = isInteger ? trained : [...(given as tf.Variable[]), ...trained];
    let y: tf.Tensor | undefined;
    const { grads } = tf.variableGrads(() => {
      y = tf.keep(apply());
      return tf.sum(tf.mul(y, tensorOf(outputWeights))) as tf.Scalar;
    }, all);
    const result = { output: y!.dataSync(), gradients: all.map((variable) => grads[variable.name].dataSync()) };
    y!.dispose();
    if (!isInteger) tf.dispose(given);
    return result;
  });
  for (const layer of chain) layer.dispose();
  return found;
}

/** Each element by itself: some are 1e4. */
function assertEqual(found: ArrayLike<number>, { values }: Stored, what: string): void {
  assert.equal(found.length, values.length, `${what}: length`);
  for (const [i, value] of values.entries()) {
    const allowed = 1e-5 * Math.max(1, Math.abs(value));
    assert.ok(Math.abs(found[i] - value) <= allowed, `${what}: element ${i} is ${found[i]}, should be ${value}`);
  }
}

/** Operations whose gradients add up and multiply what was given: nothing in them is compared, chosen or divided. */
const PLAIN = new Set<string>([
  ...[tf.Add, tf.Sub, tf.Neg, tf.Multiply, tf.Square, tf.Sum, tf.Mean, tf.BatchMatMul, tf.Sigmoid, tf.Tanh],
  ...[tf.Conv2D, tf.Conv2DBackpropInput, tf.Conv3D, tf.Conv3DBackpropInputV2, tf.DepthwiseConv2dNative],
  ...[tf.AvgPool, tf.AvgPool3D, tf.ResizeBilinear, tf.ResizeNearestNeighbor],
  ...[tf.Cast, tf.Concat, tf.ExpandDims, tf.Identity, tf.OnesLike, tf.Pack, tf.PadV2, tf.Reshape, tf.Reverse, tf.Slice],
  ...[tf.SplitV, tf.Tile, tf.Transpose, tf.Unpack],
]);

/** The operations whose gradients are computed meanwhile. */
function differentiated(compute: () => void): Set<string> {
  const found = new Set<string>();
  const kernels = Object.values(tf).filter((name) => typeof name === "string");
  const originals = kernels.flatMap((kernel) => {
    const gradient = tf.getGradient(kernel);
    if (gradient === undefined) return [];
    const { gradFunc } = gradient;
    gradient.gradFunc = (...given) => {
      found.add(kernel);
      return gradFunc(...given);
    };
    return [() => Object.assign(gradient, { gradFunc })];
  });
  try {
    compute();
  } finally {
    for (const restore of originals) restore();
  }
  return found;
}

describe("the operations that training differentiates", () => {
  it("are plain, or asked below at their kinks and where elements are equal", async () => {
    await openBackend("wasm");
    const trained = differentiated(() => layerCases.forEach(callGradient));
    const asked = differentiated(() => cases.forEach(measure));
    assert.ok(trained.size > 50, `only ${trained.size} operations`);
    assert.deepEqual(
      [...trained].filter((kernel) => !PLAIN.has(kernel) && !asked.has(kernel)),
      [],
    );
  });
});

const native = await probeBackend("tfjs-node");
const suites: [BackendName, string | false][] = [
  ["wasm", false],
  ["cpu", false],
  ["tfjs-node", !native.available && native.reason],
];
for (const [backend, skip] of suites) {
  describe(`at kinks, and where elements are equal, on ${backend}`, { skip }, () => {
    for (const example of cases) {
      it(`${example.name} has Keras' gradient`, async () => {
        await openBackend(backend);
        const { output, gradients } = measure(example);
        assertEqual(output, example.output, "output");
        assert.equal(gradients.length, example.gradients.length);
        for (const [i, gradient] of gradients.entries()) assertEqual(gradient, example.gradients[i], `gradient ${i}`);
      });
    }
  });
}
