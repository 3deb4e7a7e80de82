/**
 * The tasks of the cluster's runs: a ResNet-18 with several micro-batches per step, and the presets of a ResNet-18, a GPT with
 * dropout and an MLP; and the same tasks in the form that torch_check.py takes. The images and the text are random.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom, type Random } from "../../../shared/random.js";
import { VOCABULARY } from "../../models.js";
import type { TransformerSize } from "../models.js";
import type { CheckSize } from "../report.js";

const CLUSTER_TASKS = ["resnet18", "gpt", "mnist", "resnet18-preset"] as const;
export type ClusterTask = (typeof CLUSTER_TASKS)[number];

/** The tasks that PyTorch trains as well. */
export const LOOPED_TASKS = ["resnet18", "resnet18-preset", "gpt"] as const satisfies readonly ClusterTask[];
export type LoopedTask = (typeof LOOPED_TASKS)[number];

export interface Extent {
  /** Samples of a micro-batch. */
  readonly batch: number;
  readonly microBatches: number;
  readonly steps: number;
}

interface ClusterSizes {
  readonly extents: Readonly<Record<ClusterTask, Extent>>;
  readonly resnet18: { readonly width: number };
  readonly gpt: TransformerSize & { readonly context: number; readonly dropout: number };
  /** Training images; there are a fifth as many test images. */
  readonly images: number;
  readonly characters: number;
}

const SIZES: Readonly<Record<CheckSize, ClusterSizes>> = {
  gpu: {
    extents: {
      resnet18: { batch: 128, microBatches: 8, steps: 20 },
      gpt: { batch: 64, microBatches: 1, steps: 30 },
      mnist: { batch: 64, microBatches: 4, steps: 200 },
      "resnet18-preset": { batch: 1000, microBatches: 1, steps: 14 },
    },
    resnet18: { width: 64 },
    gpt: { layers: 6, heads: 6, width: 384, context: 256, dropout: 0.2 },
    images: 10_000,
    characters: 1_000_000,
  },
  cpu: {
    extents: {
      resnet18: { batch: 8, microBatches: 4, steps: 6 },
      gpt: { batch: 8, microBatches: 1, steps: 12 },
      mnist: { batch: 64, microBatches: 4, steps: 24 },
      "resnet18-preset": { batch: 40, microBatches: 1, steps: 8 },
    },
    resnet18: { width: 4 },
    gpt: { layers: 2, heads: 2, width: 32, context: 32, dropout: 0.2 },
    images: 500,
    characters: 50_000,
  },
  quick: {
    extents: {
      resnet18: { batch: 2, microBatches: 2, steps: 5 },
      gpt: { batch: 2, microBatches: 1, steps: 5 },
      mnist: { batch: 8, microBatches: 2, steps: 8 },
      "resnet18-preset": { batch: 4, microBatches: 1, steps: 5 },
    },
    resnet18: { width: 4 },
    gpt: { layers: 1, heads: 2, width: 16, context: 16, dropout: 0.2 },
    images: 50,
    characters: 5000,
  },
};

/** The tasks that are run; a processor's small models need only a few. */
const RUN_TASKS: Readonly<Record<CheckSize, readonly ClusterTask[]>> = {
  gpu: CLUSTER_TASKS,
  cpu: ["resnet18", "gpt", "mnist"],
  quick: ["mnist"],
};

export const clusterTasksOf = (size: CheckSize): readonly ClusterTask[] => RUN_TASKS[size];

export const extentOf = (size: CheckSize, task: ClusterTask): Extent => SIZES[size].extents[task];

/** A training loop in the form that torch_check.py takes. */
export function loopOf(size: CheckSize, task: LoopedTask): object {
  const sizes = SIZES[size];
  const model = task === "gpt" ? { kind: "gpt", ...sizes.gpt } : { kind: "resnet18", ...sizes.resnet18 };
  return { ...model, ...sizes.extents[task] };
}

const NEVER = 1_000_000_000;

/** Writes a task and its data; returns the task's file. */
export function writeTask(folder: string, size: CheckSize, task: ClusterTask): string {
  const file = join(folder, `${task}.json`);
  writeFileSync(file, JSON.stringify(taskOf(folder, size, task)));
  return file;
}

function taskOf(folder: string, size: CheckSize, name: ClusterTask): object {
  const sizes = SIZES[size];
  const { batch, microBatches } = sizes.extents[name];
  const same = {
    ...{ name: `check-${name}`, microBatchSize: batch, microBatchesPerStep: microBatches },
    ...{ evaluateEverySamples: NEVER, checkpointEverySamples: NEVER },
  };
  if (name === "mnist") return { extends: "mnist", ...same, dataset: { kind: "mnist", testLimit: 100 } };
  if (name === "gpt") {
    const { context, ...blocks } = sizes.gpt;
    const dataset = { kind: "text", file: writeText(folder, sizes.characters), context, testLimit: 16 };
    return { extends: "chars-gpt", ...same, model: { kind: "gpt", ...blocks }, dataset };
  }
  const dataset = { kind: "cifar10", folder: writeImages(folder, sizes.images), augment: "crop-flip" };
  const model = { kind: "resnet18", ...sizes.resnet18, normalization: "batch" };
  return { extends: "cifar10-resnet18", ...same, model, dataset };
}

const FILES = 5;
const ROW_BYTES = 1 + 3 * 32 * 32;

/** Writes files in CIFAR-10's binary format: noise that is brighter for higher classes. */
function writeImages(folder: string, count: number): string {
  const images = join(folder, "images");
  mkdirSync(images, { recursive: true });
  const random = createRandom(1);
  const names = [...Array.from({ length: FILES }, (_, i) => `data_batch_${i + 1}.bin`), "test_batch.bin"];
  for (const name of names) writeFileSync(join(images, name), drawImages(count / FILES, random));
  return images;
}

function drawImages(count: number, random: Random): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil((count * ROW_BYTES) / 4) }, () => random.next() * 2 ** 32);
  const bytes = new Uint8Array(words.buffer, 0, count * ROW_BYTES);
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const label = bytes[at] % 10;
    for (let i = at + 1; i < at + ROW_BYTES; i++) bytes[i] = (bytes[i] >> 1) + 12 * label;
    bytes[at] = label;
  }
  return bytes;
}

/** Writes a text of words from a small vocabulary, after one of each character. */
function writeText(folder: string, characters: number): string {
  const random = createRandom(2);
  const alphabet = Array.from({ length: VOCABULARY }, (_, i) => String.fromCharCode(32 + i));
  const word = (): string =>
    Array.from({ length: 2 + random.below(7) }, () => alphabet[1 + random.below(VOCABULARY - 1)]).join("");
  const words = Array.from({ length: 400 }, word);
  const parts = [alphabet.join("")];
  for (let length = VOCABULARY; length < characters; length += parts[parts.length - 1].length + 1) {
    parts.push(words[random.below(1 + random.below(words.length))]);
  }
  const file = join(folder, "text.txt");
  writeFileSync(file, parts.join(" "));
  return file;
}
