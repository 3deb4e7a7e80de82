/**
 * The losses, as tfjs operations on a model's raw outputs. Models end in logits: `softmaxCrossEntropy` and
 * `binaryCrossEntropy` apply softmax or sigmoid themselves, in the form that neither overflows nor loses the gradient
 * of a confident mistake; a model that ends in one of these activations is refused.
 */

import { allLayers } from "./models/all-layers.js";
import type { LayersModel } from "./models/index.js";
import type { Loss } from "./task.js";
import { core as tf } from "./tfjs/core.js";

/**
 * The positions over which a mean is taken: 0 where a position is masked, else 1; shape [samples, …], one axis fewer than
 * the model's output. Undefined where nothing is masked.
 */
export type LossMask = tf.Tensor | undefined;

/**
 * The loss of each number of a model's output, or of each row of logits.
 * @param labels classes (int32, shape [samples, …]) for softmax cross-entropy, else numbers.
 * @param outputs [samples, …, classes] logits for softmax cross-entropy, else one number per label.
 * @returns the losses, sample by sample.
 */
function lossesOf(loss: Loss, labels: tf.Tensor, outputs: tf.Tensor, labelSmoothing: number): tf.Tensor {
  switch (loss) {
    case "softmaxCrossEntropy":
      return softmaxCrossEntropy(labels, outputs, labelSmoothing);
    case "binaryCrossEntropy":
      return sigmoidCrossEntropy(tf.reshape(tf.cast(labels, "float32"), outputs.shape), outputs);
    case "meanSquaredError":
      return tf.square(tf.sub(outputs, tf.reshape(tf.cast(labels, "float32"), outputs.shape)));
  }
}

/** The mean of each row, when a tensor's numbers are cut into `rows` rows. */
function meansOf(values: tf.Tensor, rows: number): tf.Tensor1D {
  const cut = tf.reshape(values, [rows, values.size / rows]);
  return (cut.shape[1] === 1 ? tf.reshape(cut, [rows]) : tf.mean(cut, 1)) as tf.Tensor1D;
}

/** Each sample's mean over the positions that are not masked; 0 where all are. Shape [samples]. */
function sampleMeans(values: tf.Tensor, samples: number, mask: LossMask): tf.Tensor1D {
  if (mask === undefined) return meansOf(values, samples);
  const unmasked = tf.reshape(mask, [samples, mask.size / samples]);
  const positions = tf.reshape(meansOf(values, mask.size), unmasked.shape);
  return tf.div(tf.sum(tf.mul(positions, unmasked), 1), tf.maximum(tf.sum(unmasked, 1), 1)) as tf.Tensor1D;
}

/**
 * The mean loss over a micro-batch, a scalar: what is differentiated, with `regularisationOf` added. With a mask it is, as
 * in Keras, the mean over all positions of the micro-batch that are not masked.
 * @param labelSmoothing x, for a softmax cross-entropy: as in PyTorch, each target is 1 − x of the label and x spread
 *   evenly over all classes (Szegedy et al. 2016).
 */
export function lossOf(
  loss: Loss,
  labelSmoothing = 0,
): (labels: tf.Tensor, outputs: tf.Tensor, mask?: LossMask) => tf.Scalar {
  return (labels, outputs, mask) => {
    const values = lossesOf(loss, labels, outputs, labelSmoothing);
    const means = mask === undefined ? meansOf(values, outputs.shape[0]) : sampleMeans(values, 1, mask);
    return tf.mean(means) as tf.Scalar;
  };
}

/**
 * The loss of each sample, shape [samples]: what evaluation adds up over batches of any size. For a sample with several
 * outputs (a sequence, several targets) it is the mean of those that are not masked. Labels are never smoothed here, so that losses of
 * tasks with and without it can be compared.
 */
export function sampleLossesOf(loss: Loss): (labels: tf.Tensor, outputs: tf.Tensor, mask?: LossMask) => tf.Tensor1D {
  return (labels, outputs, mask) => sampleMeans(lossesOf(loss, labels, outputs, 0), outputs.shape[0], mask);
}

/**
 * Computes the sum of the losses that layers declare (weight regularisers), a scalar; undefined when there is none.
 * tfjs's own `calculateLosses` forgets those of a Sequential, of recurrent cells and of a Bidirectional's layers.
 */
export function regularisationOf(model: LayersModel): (() => tf.Scalar) | undefined {
  const losses = allLayers(model).flatMap((layer) => (layer as unknown as { _losses: (() => tf.Scalar)[] })._losses);
  if (losses.length === 0) return undefined;
  return () => losses.map((loss) => loss()).reduce((sum, loss) => tf.add(sum, loss));
}

/**
 * How many samples are classified correctly, a scalar; a sample with several outputs counts with the share of its
 * unmasked ones that are right. Always 0 for the mean squared error, where it has no meaning.
 */
export function correctCount(loss: Loss, labels: tf.Tensor, outputs: tf.Tensor, mask?: LossMask): tf.Scalar {
  if (loss === "meanSquaredError") return tf.scalar(0);
  const [predicted, wanted] =
    loss === "softmaxCrossEntropy"
      ? [tf.argMax(outputs, -1), labels]
      : [tf.cast(tf.greater(outputs, 0), "int32"), tf.cast(tf.reshape(labels, outputs.shape), "int32")];
  const right = tf.cast(tf.equal(predicted, tf.reshape(wanted, predicted.shape)), "float32");
  if (mask !== undefined) return tf.sum(sampleMeans(right, outputs.shape[0], mask));
  return tf.div(tf.sum(right), predicted.size / outputs.shape[0]) as tf.Scalar;
}

/** Keeps tensors for the gradient; the last argument that tfjs gives a custom gradient, which its types leave out. */
type Save = (tensors: tf.Tensor[]) => void;

/** −Σ target · log softmax(logits), for each row of logits; its gradient is softmax − target, without a detour. */
function softmaxCrossEntropy(labels: tf.Tensor, outputs: tf.Tensor, labelSmoothing: number): tf.Tensor {
  const classes = outputs.shape[outputs.rank - 1];
  const rows = outputs.size / classes;
  const compute = tf.customGrad((...parts) => {
    const [logits, save] = parts as unknown as [tf.Tensor2D, Save];
    const others = Math.fround(labelSmoothing / classes);
    const label = Math.fround(1 - labelSmoothing) + others;
    const targets = tf.oneHot(tf.reshape(labels as tf.Tensor1D, [rows]), classes, label, others, "float32");
    const shifted = tf.sub(logits, tf.max(logits, 1, true));
    const logProbabilities = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
    save([logProbabilities, targets]);
    return {
      value: tf.neg(tf.sum(tf.mul(targets, logProbabilities), 1)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.mul(tf.reshape(dy, [rows, 1]), tf.sub(tf.exp(saved[0]), saved[1])),
    };
  });
  return compute(tf.reshape(outputs, [rows, classes]));
}

/** max(x, 0) − x·z + log(1 + e^−|x|), element by element; its gradient is sigmoid(x) − z. */
function sigmoidCrossEntropy(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  const compute = tf.customGrad((...parts) => {
    const [x, save] = parts as unknown as [tf.Tensor, Save];
    // The labels too: what they were cast and reshaped to is gone when the gradient is computed.
    save([x, labels]);
    const tail = tf.log1p(tf.exp(tf.neg(tf.abs(x))));
    return {
      value: tf.add(tf.sub(tf.relu(x), tf.mul(x, labels)), tail),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, tf.sub(tf.sigmoid(saved[0]), saved[1])),
    };
  });
  return compute(outputs);
}
