/**
 * ResNet-18 for small images (He et al. 2016, section 4.2's stem with the 18-layer net's blocks): a 3×3 convolution, four
 * stages of two basic blocks at width, 2, 4 and 8 times width channels, the last three halving the image; the mean over
 * positions; a dense layer. 11,173,962 trained parameters at width 64 with 10 classes.
 */

import type { LayersModel } from "../capture-weights.js";
import { GroupNormalization } from "../layers/index.js";
import { tensorflow as tf } from "../tensorflow.js";

export interface ResNetSpec {
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** Channels of the first stage. */
  readonly width: number;
  /** "layer" is one group of all channels and positions of a sample. */
  readonly normalization: "batch" | "layer" | "group";
}

type Symbolic = InstanceType<typeof tf.SymbolicTensor>;

const STAGES = [1, 2, 4, 8];
const BLOCKS = 2;
const CHANNELS_PER_GROUP = 16;
/** PyTorch's defaults, which the nets this one is compared with use. */
const EPSILON = 1e-5;
const MOMENTUM = 0.9;

export function resnet18({ inputShape, classes, width, normalization }: ResNetSpec): LayersModel {
  const normalize = (name: string, channels: number) => {
    if (normalization === "batch") return tf.layers.batchNormalization({ name, epsilon: EPSILON, momentum: MOMENTUM });
    const groups = normalization === "layer" ? 1 : Math.max(1, Math.floor(channels / CHANNELS_PER_GROUP));
    return new GroupNormalization({ name, groups, epsilon: EPSILON });
  };
  const convolve = (x: Symbolic, name: string, filters: number, kernelSize: number, strides: number): Symbolic => {
    const layer = tf.layers.conv2d({
      name,
      filters,
      kernelSize,
      strides,
      padding: "same",
      useBias: false,
      kernelInitializer: "heNormal",
    });
    return normalize(`${name}_norm`, filters).apply(layer.apply(x)) as Symbolic;
  };
  const relu = (x: Symbolic, name: string): Symbolic => tf.layers.reLU({ name }).apply(x) as Symbolic;

  const input = tf.input({ shape: [...inputShape] });
  let x = relu(convolve(input, "stem", width, 3, 1), "stem_relu");
  let channels = width;
  STAGES.forEach((factor, stage) => {
    for (let block = 0; block < BLOCKS; block++) {
      const name = `stage${stage + 1}_block${block + 1}`;
      const filters = factor * width;
      const strides = stage > 0 && block === 0 ? 2 : 1;
      const first = relu(convolve(x, `${name}_conv1`, filters, 3, strides), `${name}_relu1`);
      const second = convolve(first, `${name}_conv2`, filters, 3, 1);
      const projects = strides !== 1 || channels !== filters;
      const shortcut = projects ? convolve(x, `${name}_shortcut`, filters, 1, strides) : x;
      x = relu(tf.layers.add({ name: `${name}_add` }).apply([second, shortcut]) as Symbolic, `${name}_relu2`);
      channels = filters;
    }
  });
  const pooled = tf.layers.globalAveragePooling2d({ name: "pool" }).apply(x) as Symbolic;
  const outputs = tf.layers.dense({ name: "classes", units: classes }).apply(pooled) as Symbolic;
  return tf.model({ inputs: input, outputs, name: "resnet18" });
}
