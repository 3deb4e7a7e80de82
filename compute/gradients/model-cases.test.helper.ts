/**
 * Small variants of the models that are trained, with random samples of the right form, and their gradients as a
 * compute thread computes them. They use every kernel that the large ones use.
 */

import { type BackendName, openBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { createRandom } from "../../shared/random.js";
import { buildModel, type Loss, type ModelSpec, rowBytes, type SampleSpec } from "../../tasks/index.js";
import { attachMemory, createWorkerMemory, gradientAddresses, viewElements, weightsAddresses } from "../memory.js";
import { createGradients, type SampleBatch } from "./gradients.js";

export interface ModelCase {
  readonly model: ModelSpec;
  readonly form: SampleSpec;
  readonly loss: Loss;
  /** Samples of a micro-batch. */
  readonly batch: number;
}

const CLASSES = 10;
const VOCABULARY = 20;

const images = (...shape: number[]): SampleSpec => ({
  input: { shape, type: "uint8", scale: 1 / 255 },
  label: { shape: [], type: "uint8", classes: CLASSES },
});

const text: SampleSpec = {
  input: { shape: [16], type: "uint8", scale: 1 },
  label: {
    shape: [16],
    type: "uint8",
    classes: VOCABULARY,
    classNames: Array.from({ length: VOCABULARY }, (_, i) => String.fromCharCode(97 + i)),
  },
};

const perceptron: ModelSpec = {
  kind: "sequential",
  layers: [
    { layer: "Flatten", inputShape: [28, 28, 1] },
    { layer: "Dense", units: 32, activation: "relu" },
    { layer: "Dense", units: CLASSES },
  ],
};

const convolutional: ModelSpec = {
  kind: "sequential",
  layers: [
    { layer: "Conv2D", inputShape: [12, 12, 1], filters: 8, kernelSize: 3, padding: "same", activation: "relu" },
    { layer: "Conv2D", filters: 16, kernelSize: 3, padding: "same", activation: "relu" },
    { layer: "MaxPooling2D", poolSize: 2 },
    { layer: "Flatten" },
    { layer: "Dense", units: 16, activation: "relu" },
    { layer: "Dense", units: CLASSES },
  ],
};

const loss = "softmaxCrossEntropy";
/** The data's, and the model's own. */
const image = { inputShape: null, classes: null };
const width = { width: 16, heads: 2, layers: 1, mlpWidth: null, dropout: 0.1 };

export const modelCases = {
  mlp: { model: perceptron, form: images(28, 28, 1), loss, batch: 16 },
  cnn: { model: convolutional, form: images(12, 12, 1), loss, batch: 8 },
  resnet18: {
    model: { ...image, kind: "resnet18", width: 4, normalization: "batch" },
    form: images(8, 8, 3),
    loss,
    batch: 4,
  },
  "resnet18 with GroupNorm": {
    model: { ...image, kind: "resnet18", width: 8, normalization: "group" },
    form: images(8, 8, 3),
    loss,
    batch: 2,
  },
  vit: { model: { ...image, ...width, kind: "vit", patch: 4 }, form: images(8, 8, 3), loss, batch: 4 },
  gpt: { model: { ...width, kind: "gpt", vocabulary: null, context: null }, form: text, loss, batch: 4 },
  "mlp with binary cross-entropy": {
    model: { kind: "sequential", layers: [{ layer: "Dense", units: 3, inputShape: [5] }] },
    form: {
      input: { shape: [5], type: "uint8", scale: 1 / 255 },
      label: { shape: [3], type: "uint8", classes: 2 },
    },
    loss: "binaryCrossEntropy",
    batch: 8,
  },
  "mlp with squared error": {
    model: { kind: "sequential", layers: [{ layer: "Dense", units: 3, inputShape: [5] }] },
    form: { input: { shape: [5], type: "uint8", scale: 1 / 255 }, label: { shape: [3], type: "float32" } },
    loss: "meanSquaredError",
    batch: 8,
  },
} satisfies Record<string, ModelCase>;

export type ModelCaseName = keyof typeof modelCases;

export interface OpenModel {
  readonly parameters: number;
  /** Computes the gradient of a micro-batch; `g` is a view, `parameters` numbers, that the next call overwrites. */
  gradient(n: number): { loss: number; g: Float32Array };
  /** Evaluates the samples of micro-batch 0. */
  evaluate(): { lossSum: number; correct: number };
  /** Copies the weights again into the model, as after a step. */
  load(): void;
  /** Frees the model and the backend. */
  dispose(): void;
}

export async function openModel(backendName: BackendName, example: ModelCase): Promise<OpenModel> {
  const { form } = example;
  const backend = await openBackend(backendName, settings);
  const { layout, topology, initialWeights } = await buildModel(
    { seed: 1, model: example.model, initialWeights: "seeded", weightDecayExclude: [], freeze: [] },
    form,
  );
  const memory = attachMemory(createWorkerMemory({ layout, threads: 1, leaves: 1 }));
  if (memory.plan.segments.length !== 1) throw new RangeError("a model case fits into one segment");
  const task = {
    seed: 1,
    loss: example.loss,
    labelSmoothing: 0,
    clipNorm: null,
    wire: "float32" as const,
    precision: "float32" as const,
  };
  const gradients = await createGradients({ task, topology, form, backend, memory });
  viewElements(memory, weightsAddresses(memory.plan), 0, 0, layout.length).set(initialWeights);
  gradients.load();
  const target = gradientAddresses(memory.plan, 0);
  return {
    parameters: layout.parameters,
    gradient(n) {
      const meanLoss = gradients.gradient(randomSamples(example, n), target);
      return { loss: meanLoss, g: viewElements(memory, target, 0, 0, layout.parameters) };
    },
    evaluate: () => gradients.evaluate(randomSamples(example, 0)),
    load: () => gradients.load(),
    dispose() {
      gradients.dispose();
      backend.dispose();
    },
  };
}

/** Random samples of micro-batch n, regardless of earlier calls. */
function randomSamples({ form, batch }: ModelCase, n: number): SampleBatch {
  const random = createRandom(n + 1);
  const fill = (length: number, end: number): Uint8Array => Uint8Array.from({ length }, () => random.below(end));
  const inputs = fill(batch * rowBytes(form.input), form.label.classes === VOCABULARY ? VOCABULARY : 256);
  if (form.label.type === "float32") {
    const values = Float32Array.from({ length: (batch * rowBytes(form.label)) / 4 }, () => random.next());
    return { number: n, samples: batch, inputs, labels: new Uint8Array(values.buffer) };
  }
  return { number: n, samples: batch, inputs, labels: fill(batch * rowBytes(form.label), form.label.classes ?? 2) };
}
