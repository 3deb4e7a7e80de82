import { writeFileSync } from "node:fs";
import { defineTask } from "../../index.js";

const COUNT = 400;

/** Two numbers, of which the class is whether the first is larger; and a model that a function makes. */
export const pairsTask = (name: string, file: string, units: number) =>
  defineTask({
    name,
    model: (tf) =>
      tf.sequential({
        layers: [tf.layers.dense({ units, inputShape: [2], activation: "relu" }), tf.layers.dense({ units: 2 })],
      }),
    dataset: { kind: "csv", file, label: "larger", target: "classes" },
    loss: "softmaxCrossEntropy",
    microBatchSize: 8,
    microBatchesPerStep: 2,
    samples: 640,
    learningRate: 0.02,
  });

/** Writes the task's data. */
export function writePairs(file: string): void {
  const rows = Array.from({ length: COUNT }, (_, i) => [(i * 37) % 101, (i * 61) % 97].map((x) => x / 100));
  writeFileSync(file, `a,b,larger\n${rows.map(([a, b]) => `${a},${b},${a > b ? "first" : "second"}`).join("\n")}\n`);
}
