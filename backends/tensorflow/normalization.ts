/**
 * Normalisation on TensorFlow. It has an operation for a batch, and another for the gradient. It has none for rows that
 * works on all its devices, so they are normalised with as few other operations as possible.
 */
import { core as tf } from "../../tasks/tfjs/core.js";
import type { TensorInfo } from "../kernels.js";
import {
  type BatchNormCall,
  type BatchNormGradientCall,
  type LayerNormCall,
  type LayerNormGradientCall,
  registerNormalizationKernels,
  rowsOf,
} from "../normalization.js";
import { type Attribute, flag, floatType, intType, isOnGpu, number, run, runAll, text } from "./operation.js";

export function registerNormalization(): void {
  registerNormalizationKernels("tensorflow", { batchNorm, batchNormGradient, layerNorm, layerNormGradient });
}

const fusedAttributes = (epsilon: number): Attribute[] => [
  ...[floatType("T"), floatType("U")],
  ...[number("epsilon", epsilon), text("data_format", "NHWC"), flag("is_training", true)],
];

/** TensorFlow's operation takes images; a batch of rows is passed as one image with a single column. */
function asImages(x: TensorInfo): tf.Tensor {
  if (x.shape.length === 4) return x as tf.Tensor;
  const { rows, width } = rowsOf(x);
  return tf.reshape(x as tf.Tensor, [1, rows, 1, width]);
}

const shaped = (images: TensorInfo, { shape }: TensorInfo): tf.Tensor =>
  shape.length === 4 ? (images as tf.Tensor) : tf.reshape(images as tf.Tensor, shape);

function batchNorm({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }: BatchNormCall): TensorInfo[] {
  return tf.tidy(() => {
    const none = tf.tensor([], [0], "float32");
    const attributes = [...fusedAttributes(epsilon), number("exponential_avg_factor", 1)];
    const given = [asImages(x), gamma, beta, none, none];
    const outputs = runAll(backend, "FusedBatchNormV2", attributes, given, 5);
    const [y, mean, corrected, , kept] = outputs as tf.Tensor[];
    if (!isOnGpu(backend)) return [shaped(y, x), mean, kept];
    // A GPU keeps the inverse of the deviation instead, and its variance has Bessel's correction, which is undone here.
    const { rows } = rowsOf(x);
    const variance = rows > 1 ? tf.mul(corrected, tf.scalar((rows - 1) / rows)) : tf.zeros(mean.shape);
    return [shaped(y, x), mean, variance];
  });
}

function batchNormGradient({ inputs, attrs: { epsilon }, backend }: BatchNormGradientCall): TensorInfo[] {
  const { dy, x, gamma, mean, variance } = inputs;
  return tf.tidy(() => {
    // As with the forward operation, a GPU keeps the inverse of the deviation.
    const kept = isOnGpu(backend) ? tf.rsqrt(tf.add(variance as tf.Tensor, tf.scalar(epsilon))) : variance;
    const given = [asImages(dy), asImages(x), gamma, mean, kept];
    const outputs = runAll(backend, "FusedBatchNormGradV2", fusedAttributes(epsilon), given, 5);
    const [dx, dGamma, dBeta] = outputs as tf.Tensor[];
    return [shaped(dx, x), dGamma, dBeta];
  });
}

/** Operations on floats, by name. */
function operations(backend: unknown) {
  const elementwise =
    (name: string) =>
    (...inputs: TensorInfo[]): tf.Tensor =>
      run(backend, name, [floatType("T")], inputs) as tf.Tensor;
  const reduction =
    (name: string) =>
    (x: TensorInfo, axes: number[], keepDims: boolean): tf.Tensor => {
      const attributes = [floatType("T"), intType("Tidx"), flag("keep_dims", keepDims)];
      return run(backend, name, attributes, [x, tf.tensor(axes, [axes.length], "int32")]) as tf.Tensor;
    };
  return {
    add: elementwise("Add"),
    sub: elementwise("Sub"),
    mul: elementwise("Mul"),
    square: elementwise("Square"),
    rsqrt: elementwise("Rsqrt"),
    mean: reduction("Mean"),
    sum: reduction("Sum"),
  };
}

function layerNorm({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }: LayerNormCall): TensorInfo[] {
  return tf.tidy(() => {
    const { add, sub, mul, square, rsqrt, mean } = operations(backend);
    const last = [x.shape.length - 1];
    const centered = sub(x, mean(x, last, true));
    const inverse = rsqrt(add(mean(square(centered), last, true), tf.scalar(epsilon)));
    const normal = mul(centered, inverse);
    if (gamma === undefined && beta === undefined) return [normal, inverse];
    const scaled = gamma === undefined ? normal : mul(normal, gamma);
    return [normal, inverse, beta === undefined ? scaled : add(scaled, beta)];
  });
}

/** The gradient for x is (g − mean(g) − normal·mean(g·normal)) · inverse, of g = dy · gamma. */
function layerNormGradient({ inputs, attrs: { centered }, backend }: LayerNormGradientCall): TensorInfo[] {
  const { dy, normal, inverse, gamma } = inputs;
  return tf.tidy(() => {
    const { sub, mul, mean, sum } = operations(backend);
    const last = [dy.shape.length - 1];
    const others = dy.shape.slice(0, -1).map((_, axis) => axis);
    const g = gamma === undefined ? dy : mul(dy, gamma);
    const along = mean(mul(g, normal), last, true);
    const dx = mul(sub(sub(g, mean(g, last, true)), mul(normal, along)), inverse);
    const dGamma = gamma === undefined ? [] : [sum(mul(dy, normal), others, false)];
    const dBeta = centered ? [sum(dy, others, false)] : [];
    return [dx, ...dGamma, ...dBeta];
  });
}
