/**
 * Transformers of pre-norm blocks: x + attention(norm(x)), then x + mlp(norm(x)) with a GELU in between.
 *
 * - `vit` (Dosovitskiy et al. 2021) cuts an image into square patches, puts a class token before them, and classifies by
 *   its last vector.
 * - `gpt` (Radford et al. 2019, in the form of nanoGPT) predicts the next token at every position; it has no biases, and
 *   its first and last layer share their weights.
 */

import type { LayersModel } from "../capture-weights.js";
import { ClassToken, FirstPosition, PositionEmbedding, SelfAttention, TokenEmbedding } from "../layers/index.js";
import { tensorflow as tf } from "../tensorflow.js";

export interface TransformerSpec {
  /** The number of blocks. */
  readonly layers: number;
  /** Heads of attention, a divisor of `width`. */
  readonly heads: number;
  readonly width: number;
  /** Units of the hidden layer of each block's MLP. */
  readonly mlpWidth: number;
  readonly dropout: number;
}

export interface VitSpec extends TransformerSpec {
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** Side of a patch, in pixels. */
  readonly patch: number;
}

export interface GptSpec extends TransformerSpec {
  readonly vocabulary: number;
  /** The length of a sequence. */
  readonly context: number;
}

type Symbolic = InstanceType<typeof tf.SymbolicTensor>;

const STDDEV = 0.02;
const EPSILON = 1e-5;

const normal = (stddev: number) => tf.initializers.randomNormal({ mean: 0, stddev });

interface Blocks extends TransformerSpec {
  readonly causal: boolean;
  readonly useBias: boolean;
}

/** All blocks, and the last norm. */
function blocks(first: Symbolic, { layers, heads, width, mlpWidth, dropout, causal, useBias }: Blocks): Symbolic {
  // What is added to the residual stream 2·layers times starts √(2·layers) times smaller (GPT-2).
  const outputStddev = STDDEV / Math.sqrt(2 * layers);
  const norm = (x: Symbolic, name: string): Symbolic =>
    tf.layers.layerNormalization({ name, epsilon: EPSILON, center: useBias }).apply(x) as Symbolic;
  const drop = (x: Symbolic, name: string): Symbolic =>
    dropout === 0 ? x : (tf.layers.dropout({ name, rate: dropout }).apply(x) as Symbolic);
  const add = (x: Symbolic, y: Symbolic, name: string): Symbolic => tf.layers.add({ name }).apply([x, y]) as Symbolic;
  let x = first;
  for (let i = 1; i <= layers; i++) {
    const name = `block${i}`;
    const attention = new SelfAttention({
      name: `${name}_attention`,
      heads,
      causal,
      useBias,
      dropout,
      stddev: STDDEV,
      outputStddev,
    });
    const attended = attention.apply(norm(x, `${name}_norm1`)) as Symbolic;
    x = add(x, drop(attended, `${name}_dropout1`), `${name}_add1`);
    const hidden = tf.layers.dense({
      name: `${name}_mlp1`,
      units: mlpWidth,
      activation: "gelu",
      useBias,
      kernelInitializer: normal(STDDEV),
    });
    const output = tf.layers.dense({
      name: `${name}_mlp2`,
      units: width,
      useBias,
      kernelInitializer: normal(outputStddev),
    });
    const mixed = output.apply(hidden.apply(norm(x, `${name}_norm2`))) as Symbolic;
    x = add(x, drop(mixed, `${name}_dropout2`), `${name}_add2`);
  }
  return norm(x, "norm");
}

export function vit(spec: VitSpec): LayersModel {
  const { inputShape, classes, patch, width, dropout } = spec;
  const [height, length] = inputShape;
  const input = tf.input({ shape: [...inputShape] });
  const patches = tf.layers.conv2d({
    name: "patches",
    filters: width,
    kernelSize: patch,
    strides: patch,
    kernelInitializer: normal(STDDEV),
  });
  const count = Math.floor(height / patch) * Math.floor(length / patch);
  const sequence = tf.layers.reshape({ name: "sequence", targetShape: [count, width] }).apply(patches.apply(input));
  const positioned = new PositionEmbedding({ name: "positions" }).apply(
    new ClassToken({ name: "class_token" }).apply(sequence as Symbolic) as Symbolic,
  ) as Symbolic;
  const start =
    dropout === 0 ? positioned : (tf.layers.dropout({ name: "dropout", rate: dropout }).apply(positioned) as Symbolic);
  const mixed = blocks(start, { ...spec, causal: false, useBias: true });
  const token = new FirstPosition({ name: "token" }).apply(mixed) as Symbolic;
  const outputs = tf.layers
    .dense({ name: "classes", units: classes, kernelInitializer: normal(STDDEV) })
    .apply(token) as Symbolic;
  return tf.model({ inputs: input, outputs, name: "vit" });
}

export function gpt(spec: GptSpec): LayersModel {
  const { vocabulary, context, width, dropout } = spec;
  const input = tf.input({ shape: [context] });
  const tokens = new TokenEmbedding({ name: "tokens", vocabulary, width, stddev: STDDEV });
  const positioned = new PositionEmbedding({ name: "positions" }).apply(tokens.apply(input) as Symbolic) as Symbolic;
  const start =
    dropout === 0 ? positioned : (tf.layers.dropout({ name: "dropout", rate: dropout }).apply(positioned) as Symbolic);
  const mixed = blocks(start, { ...spec, causal: true, useBias: false });
  return tf.model({ inputs: input, outputs: tokens.apply(mixed) as Symbolic, name: "gpt" });
}
