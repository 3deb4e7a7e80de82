/**
 * Experiments that are ready to be run, by name. Each is a task and a protocol over all arms there are; whatever is given
 * on the command line replaces the preset's own, the task included.
 */
import type { TaskInput } from "../../tasks/index.js";
import type { ProtocolInput } from "./protocol.js";

export interface Preset extends Omit<ProtocolInput, "arms"> {
  /** What it is, for --help and the report. */
  readonly about: string;
  /** As in a task file, or the name of a built-in task. */
  readonly task: TaskInput;
  /** How many samples of the test part are evaluated on. */
  readonly evaluationSamples: number;
}

/** Those of the paper: β1 = 0.99, so that the linear rule has a meaning up to κ = 100, and the learning rate constant. */
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

export const PRESETS = {
  quick: {
    about: "a 784-128-10 network on MNIST, 512 micro-batches of 64, one seed",
    task: network,
    kappas: [1, 4, 16],
    learningRates: [1e-5, 1e-4, 1e-3],
    seeds: [0],
    microBatches: 512,
    evaluateEvery: 16,
    evaluationSamples: 1_000,
  },
  standard: {
    about: "a 784-128-10 network on MNIST, 2,048 micro-batches of 64, η from 1e-6 to 1e-3, three seeds",
    task: network,
    kappas: [1, 2, 4, 8, 16],
    learningRates: [1e-6, 1e-5, 1e-4, 1e-3],
    seeds: [0, 1, 2],
    microBatches: 2_048,
    evaluateEvery: 64,
    evaluationSamples: 2_000,
  },
  conv: {
    about: "a small convolutional network on MNIST, 1,024 micro-batches of 64, three seeds",
    task: convolutional,
    kappas: [1, 4, 16],
    learningRates: [1e-5, 1e-4, 1e-3],
    seeds: [0, 1, 2],
    microBatches: 1_024,
    evaluateEvery: 32,
    evaluationSamples: 1_000,
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];
