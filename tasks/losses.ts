/**
 * The losses, as tfjs operations on a model's raw outputs. Models end in logits: `softmaxCrossEntropy` and
 * `binaryCrossEntropy` apply softmax or sigmoid themselves, in the form that neither overflows nor loses the gradient
 * of a confident mistake; a model that ends in one of these activations is refused.
 */
import * as tf from "@tensorflow/tfjs-core";
import { allLayers } from "./models/all-layers.js";
import type { LayersModel } from "./models/index.js";
import type { Loss } from "./task.js";

/**
 * The loss of each sample; of a sample with several outputs (a sequence, several targets) their mean.
 * @param labels classes (int32, shape [samples, …]) for softmax cross-entropy, else numbers.
 * @param outputs [samples, …, classes] logits for softmax cross-entropy, else as many numbers as labels.
 * @returns shape [samples].
 */
function sampleLosses(loss: Loss, labels: tf.Tensor, outputs: tf.Tensor, labelSmoothing: number): tf.Tensor1D {
  const samples = outputs.shape[0];
  const each = (values: tf.Tensor): tf.Tensor1D => {
    const rows = tf.reshape(values, [samples, values.size / samples]);
    return (rows.shape[1] === 1 ? tf.reshape(rows, [samples]) : tf.mean(rows, 1)) as tf.Tensor1D;
  };
  switch (loss) {
    case "softmaxCrossEntropy":
      return each(softmaxCrossEntropy(labels, outputs, labelSmoothing));
    case "binaryCrossEntropy":
      return each(sigmoidCrossEntropy(tf.reshape(tf.cast(labels, "float32"), outputs.shape), outputs));
    case "meanSquaredError":
      return each(tf.square(tf.sub(outputs, tf.reshape(tf.cast(labels, "float32"), outputs.shape))));
  }
}

/**
 * The mean loss over a micro-batch, a scalar: what is differentiated, with `regularisationOf` added.
 * @param labelSmoothing of a softmax cross-entropy: as in PyTorch, each target is 1 − x of the label and x spread evenly
 *   over all classes (Szegedy et al. 2016).
 */
export function lossOf(loss: Loss, labelSmoothing = 0): (labels: tf.Tensor, outputs: tf.Tensor) => tf.Scalar {
  return (labels, outputs) => tf.mean(sampleLosses(loss, labels, outputs, labelSmoothing)) as tf.Scalar;
}

/**
 * The loss of each sample, shape [samples]: what evaluation adds up over batches of any size. Labels are never smoothed
 * here, so that losses of tasks with and without it can be compared.
 */
export function sampleLossesOf(loss: Loss): (labels: tf.Tensor, outputs: tf.Tensor) => tf.Tensor1D {
  return (labels, outputs) => sampleLosses(loss, labels, outputs, 0);
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
 * How many samples are classified right, a scalar; of a sample with several outputs the share that is right counts.
 * Always 0 for the mean squared error, where it has no meaning.
 */
export function correctCount(loss: Loss, labels: tf.Tensor, outputs: tf.Tensor): tf.Scalar {
  if (loss === "meanSquaredError") return tf.scalar(0);
  const [predicted, wanted] =
    loss === "softmaxCrossEntropy"
      ? [tf.argMax(outputs, -1), labels]
      : [tf.cast(tf.greater(outputs, 0), "int32"), tf.cast(tf.reshape(labels, outputs.shape), "int32")];
  const right = tf.sum(tf.cast(tf.equal(predicted, tf.reshape(wanted, predicted.shape)), "float32"));
  return tf.div(right, predicted.size / outputs.shape[0]) as tf.Scalar;
}

/** Keeps tensors for the gradient; the last argument that tfjs gives a custom gradient, which its types don't tell. */
type Save = (tensors: tf.Tensor[]) => void;

/** −Σ target · log softmax(logits), for each row of logits; its gradient is softmax − target, without a detour. */
function softmaxCrossEntropy(labels: tf.Tensor, outputs: tf.Tensor, labelSmoothing: number): tf.Tensor {
  const classes = outputs.shape[outputs.rank - 1];
  const rows = outputs.size / classes;
  const compute = tf.customGrad((...parts) => {
    const [logits, save] = parts as unknown as [tf.Tensor2D, Save];
    const oneHot = tf.cast(tf.oneHot(tf.reshape(labels as tf.Tensor1D, [rows]), classes), "float32");
    // Not by oneHot's own on- and off-values: the wasm backend writes them as integers.
    const targets =
      labelSmoothing === 0 ? oneHot : tf.add(tf.mul(oneHot, 1 - labelSmoothing), labelSmoothing / classes);
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
