// A task with your own model: on which of three intertwined spirals is a point?
//
//     isobatch run examples/spirals/task.js
//
// The model is any tfjs LayersModel with one input and one output. It ends in logits, because the loss applies softmax
// itself. Only the process that starts the run executes this file; workers get the model's topology.
import { defineTask } from "isobatch";

export default defineTask({
  loss: "softmaxCrossEntropy",
  dataset: { kind: "csv", file: "spirals.csv", label: "arm", target: "classes", testFraction: 0.2 },
  model(tf) {
    const point = tf.input({ shape: [2], name: "point" });
    const dense = (units) => tf.layers.dense({ units, activation: "relu", kernelInitializer: "heNormal" });
    const hidden = tf.layers.batchNormalization().apply(dense(64).apply(point));
    const kept = tf.layers.dropout({ rate: 0.1 }).apply(dense(64).apply(hidden));
    return tf.model({ inputs: point, outputs: tf.layers.dense({ units: 3 }).apply(kept) });
  },
  microBatchSize: 32,
  microBatchesPerStep: 2,
  samples: 64_000,
  learningRate: 0.002,
  weightDecay: 0.01,
  schedule: { kind: "cosine" },
  evaluationBatchSize: 240,
});
