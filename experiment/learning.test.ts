import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { type BackendName, probeBackend } from "../backends/index.js";
import { settings } from "../backends/settings.test.helper.js";
import { ALL } from "../shared/all-cases.test.helper.js";
import { resolveTask, type Task, type TaskInput } from "../tasks/index.js";
import { trainInProcess } from "./trainer.js";

/** Small variants of the built-in models learn on real data: their loss falls as far as stated, on each backend. */

const common = {
  name: "learning",
  loss: "softmaxCrossEntropy",
  optimizer: { name: "invariant", rule: "linear" },
  beta1: 0.9,
  beta2: 0.99,
} as const;

/** The text of a package that every checkout has. */
const text = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "NOTICE.txt");
const mnist = { kind: "mnist", limit: 2_000, testLimit: 100 } as const;

/** Each with the mean loss that the last fifth of its micro-batches must stay below. */
const everyCase: Record<string, { input: TaskInput; below: number }> = {
  "ResNet-18 with BatchNorm, on digits (2.3 at first)": {
    input: {
      ...common,
      model: { kind: "resnet18", width: 4 },
      dataset: mnist,
      microBatchSize: 32,
      samples: 50 * 32,
      learningRate: 0.01,
    },
    below: 0.9,
  },
  "ResNet-18 with GroupNorm, on digits (2.3 at first)": {
    input: {
      ...common,
      model: { kind: "resnet18", width: 8, normalization: "group" },
      dataset: mnist,
      microBatchSize: 32,
      samples: 100 * 32,
      learningRate: 0.002,
    },
    below: 1.3,
  },
  "ViT, on digits (2.3 at first)": {
    input: {
      ...common,
      model: { kind: "vit", layers: 2, heads: 2, width: 48, patch: 7 },
      dataset: mnist,
      microBatchSize: 32,
      samples: 150 * 32,
      learningRate: 0.003,
    },
    below: 1.6,
  },
  "GPT with dropout, on a text by characters (4.4 at first)": {
    input: {
      ...common,
      model: { kind: "gpt", layers: 2, heads: 2, width: 48, dropout: 0.1 },
      dataset: { kind: "text", file: text, context: 32, testLimit: 8 },
      microBatchSize: 8,
      samples: 200 * 8,
      learningRate: 0.005,
    },
    below: 3,
  },
};

/** The quickest, and on one backend, is what `npm test` has time for. */
const cases = Object.entries(everyCase).filter(([name]) => ALL || name.startsWith("ViT"));

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const native = await probeBackend("tfjs-node", settings);
const backends: { name: BackendName; skip: string | false }[] = [
  { name: "wasm", skip: false },
  { name: "tfjs-node", skip: ALL ? !native.available && native.reason : "npm run test:all trains on it too" },
];

for (const { name: backend, skip } of backends) {
  describe(`what learns on ${backend}`, { skip }, () => {
    for (const [name, { input, below }] of cases) {
      it(name, async () => {
        const task: Task = resolveTask("learning", input);
        const { losses } = await trainInProcess(task, { backend, evaluate: false });
        const last = mean(losses.slice(-Math.ceil(losses.length / 5)));
        assert.ok(losses[0] > 2, `starts at ${losses[0]}`);
        assert.ok(last < below, `ends at ${last}`);
      });
    }
  });
}
