/**
 * The models whose gradients are measured: as a task's JSON defines them, with random samples of the right form.
 * `peers/gradients.py` has the same ones in PyTorch, under the same names.
 */

import type { SampleBatch } from "../compute/index.js";
import { createRandom } from "../shared/random.js";
import { type ModelSpec, rowBytes, type SampleSpec } from "../tasks/index.js";

export interface MeasuredModel {
  readonly model: ModelSpec;
  readonly form: SampleSpec;
  /** Samples of a micro-batch. */
  readonly batch: number;
  /** The number of different values that an input has; 256 by default. */
  readonly values?: number;
}

const CLASSES = 10;

export const images = (...shape: number[]): SampleSpec => ({
  input: { shape, type: "uint8", scale: 1 / 255 },
  label: { shape: [], type: "uint8", classes: CLASSES },
});

export const perceptron = (width: number): ModelSpec => ({
  kind: "sequential",
  layers: [
    { layer: "Flatten", inputShape: [28, 28, 1] },
    { layer: "Dense", units: width, activation: "relu" },
    { layer: "Dense", units: width, activation: "relu" },
    { layer: "Dense", units: CLASSES },
  ],
});

export const convolutional: ModelSpec = {
  kind: "sequential",
  layers: [
    { layer: "Conv2D", inputShape: [28, 28, 1], filters: 32, kernelSize: 3, padding: "same", activation: "relu" },
    { layer: "Conv2D", filters: 64, kernelSize: 3, padding: "same", activation: "relu" },
    { layer: "MaxPooling2D", poolSize: 2 },
    { layer: "Flatten" },
    { layer: "Dense", units: 128, activation: "relu" },
    { layer: "Dense", units: CLASSES },
  ],
};

const smallGpt: ModelSpec = {
  ...{ kind: "gpt", layers: 4, width: 128, heads: 4, mlpWidth: null, dropout: 0, context: null, vocabulary: null },
};

export const VOCABULARY = 65;

export const characters = (context: number): SampleSpec => ({
  input: { shape: [context], type: "uint8", scale: 1 },
  label: { shape: [context], type: "uint8", classes: VOCABULARY },
});

export const measuredModels = {
  mlp: { model: perceptron(512), form: images(28, 28, 1), batch: 64 },
  "mlp-10m": { model: perceptron(2750), form: images(28, 28, 1), batch: 32 },
  cnn: { model: convolutional, form: images(28, 28, 1), batch: 64 },
  resnet18: {
    model: { kind: "resnet18", inputShape: null, classes: null, width: 64, normalization: "batch" },
    form: images(32, 32, 3),
    batch: 32,
  },
  gpt: { model: smallGpt, form: characters(128), batch: 16, values: VOCABULARY },
} satisfies Record<string, MeasuredModel>;

export type MeasuredModelName = keyof typeof measuredModels;

/** A micro-batch of random samples: bytes for the inputs, classes for the labels. */
export function randomBatch({ form, batch, values = 256 }: MeasuredModel): SampleBatch {
  const random = createRandom(1);
  const fill = (length: number, end: number): Uint8Array => Uint8Array.from({ length }, () => random.below(end));
  const inputs = fill(batch * rowBytes(form.input), values);
  const labels = fill(batch * rowBytes(form.label), form.label.classes ?? 2);
  return { number: 0, samples: batch, inputs, labels };
}
