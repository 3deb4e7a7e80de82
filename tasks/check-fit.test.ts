import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkFit } from "./check-fit.js";
import { createDataset, type LabelSpec } from "./datasets/index.js";
import { tensorflow as tf } from "./models/index.js";
import type { Loss } from "./task.js";

interface Case {
  loss: Loss;
  label: LabelSpec;
  units: number;
  activation?: "softmax" | "sigmoid" | "relu";
  inputShape?: number[];
  microBatchSize?: number;
}

const classes = (count: number): LabelSpec => ({ shape: [], type: "uint8", classes: count });

/** Four samples of 2 × 2 numbers, and a dense model on them. */
function check({ loss, label, units, activation, inputShape = [4], microBatchSize = 1 }: Case): void {
  const labelElements = label.shape.reduce((product, size) => product * size, 1);
  const labels = new Uint8Array(4 * labelElements * (label.type === "uint8" ? 1 : 4));
  const train = createDataset({ input: { shape: [4], type: "uint8", scale: 1 }, label }, new Uint8Array(16), labels);
  const model = tf.sequential({ layers: [tf.layers.dense({ units, activation, inputShape })] });
  checkFit({ loss, microBatchSize }, model, { train, test: undefined, fingerprint: "", trainFingerprint: "" });
}

describe("checkFit()", () => {
  const fitting: Record<string, Case> = {
    "softmax cross-entropy with one logit per class": { loss: "softmaxCrossEntropy", label: classes(10), units: 10 },
    "binary cross-entropy with one logit": { loss: "binaryCrossEntropy", label: classes(2), units: 1 },
    "mean squared error of several numbers": {
      loss: "meanSquaredError",
      label: { shape: [3], type: "float32" },
      units: 3,
      activation: "sigmoid",
    },
    "a micro-batch of the whole data set": {
      loss: "softmaxCrossEntropy",
      label: classes(3),
      units: 3,
      microBatchSize: 4,
    },
  };
  for (const [name, fit] of Object.entries(fitting)) it(`accepts ${name}`, () => check(fit));

  const softmax = { loss: "softmaxCrossEntropy", label: classes(10), units: 10 } as const;
  const faults: [string, Case, RegExp][] = [
    [
      "too few logits",
      { ...softmax, units: 9 },
      /^The model's output has the shape \[9\], but softmaxCrossEntropy on 10 classes needs \[10\]; .* 10 units.$/,
    ],
    [
      "a model that ends in softmax",
      { ...softmax, activation: "softmax" },
      /ends in softmax, but softmaxCrossEntropy applies that itself/,
    ],
    [
      "two outputs for a binary label",
      { loss: "binaryCrossEntropy", label: classes(2), units: 2 },
      /has the shape \[2\], but binaryCrossEntropy on labels of shape \[\] needs \[1\]/,
    ],
    [
      "ten classes for the binary loss",
      { ...softmax, loss: "binaryCrossEntropy", units: 1 },
      /have 10 classes, more than 2/,
    ],
    [
      "numbers for the softmax loss",
      { ...softmax, label: { shape: [], type: "float32" } },
      /the labels are numbers; use "meanSquaredError"/,
    ],
    [
      "classes for the squared error, without advising one unit for them",
      { ...softmax, loss: "meanSquaredError", units: 10 },
      /^loss is "meanSquaredError", but the labels are 10 classes, whose numbers mean nothing; use "softmaxCrossEntropy"[^\n]*$/,
    ],
    [
      "another input shape",
      { ...softmax, inputShape: [5] },
      /^The model's input has the shape \[5\], but the data set's samples have \[4\]; set .* inputShape to \[4\].$/,
    ],
    [
      "b larger than the data set",
      { ...softmax, microBatchSize: 5 },
      /^microBatchSize is 5, but .* only 4 samples .* at most 4/,
    ],
  ];
  for (const [name, fault, message] of faults) {
    it(`refuses ${name}`, () => assert.throws(() => check(fault), { code: "invalid_input", message }));
  }

  it("names every problem, one per line", () => {
    assert.throws(
      () => check({ ...softmax, units: 9, inputShape: [5], microBatchSize: 5 }),
      (error: Error) => error.message.split("\n").length === 3,
    );
  });
});
