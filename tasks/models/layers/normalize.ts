/**
 * Normalising, over a batch and within each row. The worker's backends have our own kernels for both, which take one pass
 * where tfjs takes ten. Elsewhere, as in a program that loads an exported model, rows are normalised
 * by tfjs's operations.
 */
import type { NamedAttrMap, NamedTensorMap } from "@tensorflow/tfjs-core";
import { tensorflow as tf } from "../tensorflow.js";
import { BATCH_NORM, BATCH_NORM_GRADIENT, LAYER_NORM, LAYER_NORM_GRADIENT } from "./kernel-names.js";

type Tensor = InstanceType<typeof tf.Tensor>;
type Save = (tensors: Tensor[]) => void;

const isKernel = (name: string): boolean => tf.getKernel(name, tf.getBackend()) !== undefined;

const run = (name: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor[] =>
  tf.engine().runKernel(name, inputs, attributes) as unknown as Tensor[];

/** Whether the current backend has `normalizeBatch`. */
export const normalizesBatches = (): boolean => isKernel(BATCH_NORM);

/**
 * Each channel less its mean, divided by the root of its variance (biased) plus epsilon, times gamma, plus beta.
 * @param x shape [rows…, channels].
 * @param statistics is called with the mean and the variance [channels], which are freed when it returns.
 * @returns the shape of x.
 */
export function normalizeBatch(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
  statistics: (mean: Tensor, variance: Tensor) => void,
): Tensor {
  const compute = tf.customGrad((...parts) => {
    const save = parts.at(-1) as unknown as Save;
    const [value, mean, variance] = run(BATCH_NORM, { x, gamma, beta }, { epsilon });
    statistics(mean, variance);
    save([x, gamma, mean, variance]);
    return {
      value,
      gradFunc: (dy: Tensor, [x, gamma, mean, variance]: Tensor[]) =>
        run(BATCH_NORM_GRADIENT, { dy, x, gamma, mean, variance }, { epsilon }),
    };
  });
  return compute(x, gamma, beta);
}

/**
 * Each row less its mean, divided by the root of its variance (of all its numbers, biased) plus epsilon; then times gamma
 * and plus beta, if they are given.
 * @param x shape [rows…, numbers].
 * @param gamma shape [numbers], and so is beta.
 * @returns the shape of x.
 */
export function normalizeRows(x: Tensor, epsilon: number, gamma?: Tensor, beta?: Tensor): Tensor {
  const scale: NamedTensorMap = gamma === undefined ? {} : { gamma };
  const shift: NamedTensorMap = beta === undefined ? {} : { beta };
  if (!isKernel(LAYER_NORM)) {
    const normal = normalizeByOperations(x, epsilon);
    const scaled = gamma === undefined ? normal : tf.mul(normal, gamma);
    return beta === undefined ? scaled : tf.add(scaled, beta);
  }
  const compute = tf.customGrad((...parts) => {
    const save = parts.at(-1) as unknown as Save;
    const [normal, inverse, scaled] = run(LAYER_NORM, { x, ...scale, ...shift }, { epsilon });
    save([normal, inverse, ...Object.values(scale)]);
    return {
      value: scaled ?? normal,
      gradFunc: (dy: Tensor, [normal, inverse, ...gammas]: Tensor[]) => {
        const given: NamedTensorMap = gammas.length === 0 ? {} : { gamma: gammas[0] };
        return run(LAYER_NORM_GRADIENT, { dy, normal, inverse, ...given }, { centered: beta !== undefined });
      },
    };
  });
  return compute(x, ...Object.values(scale), ...Object.values(shift));
}

/** The gradient is given in closed form, (dy − mean(dy) − y·mean(dy·y)) / deviation; tfjs's takes four times as many passes. */
function normalizeByOperations(x: Tensor, epsilon: number): Tensor {
  const compute = tf.customGrad((...parts) => {
    const [x, save] = parts as unknown as [Tensor, Save];
    const centered = tf.sub(x, tf.mean(x, -1, true));
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon));
    const y = tf.mul(centered, inverse);
    save([y, inverse]);
    return {
      value: y,
      gradFunc: (dy: Tensor, [y, inverse]: Tensor[]) => {
        const along = tf.mean(tf.mul(dy, y), -1, true);
        return tf.mul(tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), tf.mul(y, along)), inverse);
      },
    };
  });
  return compute(x);
}
