/**
 * Outputs and gradients where functions have kinks and where elements are equal, as Keras has them, and as the current
 * backend computes them.
 */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { layers, regularizers } from "@tensorflow/tfjs-layers";
import { type Layer, lossOf } from "../tasks/index.js";
import { GroupNormalization } from "../tasks/models/layers/index.js";

interface Stored {
  readonly shape: number[];
  readonly values: readonly number[];
}

/** Made by bench/peers/kinks.py, with Keras and TensorFlow. */
export interface KinkCase {
  readonly name: string;
  readonly inputs: readonly Stored[];
  readonly weights: readonly Stored[];
  readonly outputWeights: Stored;
  readonly output: Stored;
  /** The gradients of the inputs, unless they are integers, then of the weights. */
  readonly gradients: readonly Stored[];
}
export const { cases: kinkCases } = JSON.parse(readFileSync(new URL("./kinks.test.json", import.meta.url), "utf8")) as {
  cases: KinkCase[];
};

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

/** What the current backend computes. */
export function measureKink({ name, inputs, weights, outputWeights, gradients }: KinkCase) {
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

const TOLERANCE = 1e-5;

/**
 * What is not Keras' of a case, as a sentence's end; undefined if all is.
 * @param anyMaximum whether a window's gradient may go to any one of its equal maxima: a GPU's library chooses for
 * itself.
 */
export function kinkProblem(example: KinkCase, anyMaximum = false): string | undefined {
  const { output, gradients } = measureKink(example);
  const isWindow = example.name.startsWith("MaxPooling");
  const pairs = [
    { what: "its output", found: output, expected: example.output },
    ...example.gradients.map((expected, i) => ({ what: `its gradient ${i}`, found: gradients[i], expected })),
  ];
  for (const [i, { what, found, expected }] of pairs.entries()) {
    const { values } = expected;
    if (found?.length !== values.length) return `${what} has ${found?.length} elements, not ${values.length}`;
    if (anyMaximum && isWindow && i > 0) {
      const total = (numbers: ArrayLike<number>): number =>
        Array.from(numbers).reduce((sum, number) => sum + number, 0);
      if (Math.abs(total(found) - total(values)) <= TOLERANCE * values.length) continue;
      return `${what} adds up to ${total(found)}, not to ${total(values)}`;
    }
    // Each element by itself: some are 1e4.
    const wrong = values.findIndex(
      (value, at) => !(Math.abs(found[at] - value) <= TOLERANCE * Math.max(1, Math.abs(value))),
    );
    if (wrong >= 0) return `${what} has ${found[wrong]} at ${wrong}, not ${values[wrong]}`;
  }
  return undefined;
}
