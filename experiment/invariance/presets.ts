/**
 * Ready-made experiments, by name. Each is a task and a protocol over all arms; what the command line gives replaces the
 * preset's own, including the task.
 */
import { createRequire } from "node:module";
import type { TaskInput, TaskOverrides } from "../../tasks/index.js";
import type { ProtocolInput } from "./protocol.js";

export interface Preset extends Omit<ProtocolInput, "arms"> {
  /** What the experiment is, for --help and the report. */
  readonly about: string;
  /** The task, as in a task file; absent if --task must give the model and the data. */
  readonly task?: () => TaskInput;
  /** What --task must give, in words. */
  readonly needs?: string;
  /** Fields that replace those of the task that --task names. */
  readonly fields?: TaskOverrides;
  /** How many samples of the test part are evaluated on; by default all. */
  readonly evaluationSamples?: number;
}

/** The paper's: β1 = 0.99, so that the linear rule has a meaning up to κ = 100, and a constant learning rate. */
const ADAM = { beta1: 0.99, beta2: 0.999, schedule: { kind: "constant" } } as const;

/** 0.1 M weights; a micro-batch takes under two milliseconds on one core. */
const network: TaskInput = {
  name: "mnist-784-128-10",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 128, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist" },
  microBatchSize: 64,
  samples: 131_072,
  learningRate: 1e-4,
  ...ADAM,
};

/** 8 and 16 filters with strides in place of pooling, so that a gradient takes milliseconds. */
const convolutional: TaskInput = {
  ...network,
  name: "mnist-8c5s2-16c3s2-10",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Conv2D", inputShape: [28, 28, 1], filters: 8, kernelSize: 5, strides: 2, activation: "relu" },
      { layer: "Conv2D", filters: 16, kernelSize: 3, strides: 2, activation: "relu" },
      { layer: "Flatten" },
      { layer: "Dense", units: 10 },
    ],
  },
};

/**
 * One block, 16,000 weights, since a transformer takes far longer than a perceptron of its size. Dropout is keyed by
 * micro-batch, so every κ drops the same.
 */
const characters = (): TaskInput => ({
  name: "gpt-1x32-pino",
  model: { kind: "gpt", layers: 1, heads: 2, width: 32, dropout: 0.1 },
  loss: "softmaxCrossEntropy",
  // A dependency's manual: 56,000 characters of English and code that every installation has.
  dataset: {
    kind: "text",
    file: createRequire(import.meta.url).resolve("pino/docs/api.md"),
    context: 32,
  },
  microBatchSize: 8,
  samples: 8 * 512,
  learningRate: 1e-4,
  ...ADAM,
});

/** The paper's own: 400 epochs of CIFAR-10's 50,000 images for both; the batch sizes are from its authors' scripts. */
const CIFAR = { weightDecay: 0.01, ...ADAM } as const;
const CIFAR_RATES = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3];

export const PRESETS = {
  quick: {
    about: "a 784-128-10 network on MNIST, 512 micro-batches of 64, one seed",
    task: () => network,
    kappas: [1, 4, 16],
    learningRates: [1e-5, 1e-4, 1e-3],
    seeds: [0],
    microBatches: 512,
    evaluateEvery: 16,
    evaluationSamples: 1_000,
  },
  standard: {
    about: "a 784-128-10 network on MNIST, 2,048 micro-batches of 64, η from 1e-6 to 1e-3, three seeds",
    task: () => network,
    kappas: [1, 2, 4, 8, 16],
    learningRates: [1e-6, 1e-5, 1e-4, 1e-3],
    seeds: [0, 1, 2],
    microBatches: 2_048,
    evaluateEvery: 64,
    evaluationSamples: 2_000,
  },
  conv: {
    about: "a small convolutional network on MNIST, 768 micro-batches of 64, three seeds",
    task: () => convolutional,
    kappas: [1, 4, 16],
    learningRates: [1e-5, 1e-4, 1e-3],
    seeds: [0, 1, 2],
    microBatches: 768,
    evaluateEvery: 32,
    evaluationSamples: 1_000,
  },
  gpt: {
    about: "a one-block character GPT with dropout on a dependency's manual, 512 micro-batches of 8, three seeds",
    task: characters,
    kappas: [1, 4, 16],
    learningRates: [1e-5, 1e-4, 1e-3],
    seeds: [0, 1, 2],
    microBatches: 512,
    evaluateEvery: 32,
  },
  "paper-resnet18": {
    about: "the paper's ResNet-18 on CIFAR-10: batches of 1,000 to 10,000, 400 epochs; needs --task",
    needs: "a task with a ResNet-18 (BatchNorm or LayerNorm) on CIFAR-10, cropped and flipped",
    fields: { microBatchSize: 1_000, samples: 20_000_000, ...CIFAR },
    kappas: [1, 2, 5, 10],
    learningRates: CIFAR_RATES,
    seeds: [0, 1, 2],
    microBatches: 20_000,
    evaluateEvery: 100,
  },
  "paper-vit": {
    about: "the paper's ViT on CIFAR-10: batches of 500 to 5,000, 400 epochs; needs --task",
    needs:
      "a task with a ViT (7 layers, width 384, 8 heads, 4×4 patches) on CIFAR-10 with AutoAugment and label smoothing 0.1",
    fields: { microBatchSize: 500, samples: 20_000_000, ...CIFAR },
    kappas: [1, 2, 4, 10],
    learningRates: CIFAR_RATES,
    seeds: [0, 1, 2],
    microBatches: 40_000,
    evaluateEvery: 200,
  },
  "paper-gpt": {
    about: "the paper's nanoGPT on Shakespeare's characters: batches of 64 to 512, 100 epochs; needs --task",
    needs: "a task with a character GPT (6 layers, 6 heads, width 384, context 256, dropout 0.2) on Shakespeare",
    // An epoch is 61 micro-batches of 64 contexts; 100 of them, up to the next evaluation.
    fields: { microBatchSize: 64, samples: 64 * 6_144, ...CIFAR },
    kappas: [1, 2, 4, 8],
    learningRates: [1e-6, 1e-5, 1e-4, 1e-3, 1e-2],
    seeds: [0, 1, 2],
    microBatches: 6_144,
    evaluateEvery: 64,
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];
