/**
 * The gradient of one micro-batch of 64 samples on one thread, per model and backend: forward, backward, and every
 * gradient read back. The models are built directly with tfjs-layers; the data is random.
 *
 * Run as a program it prints one line of JSON.
 */
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { type LayersModel, layers, sequential } from "@tensorflow/tfjs-layers";
import { type BackendName, openBackend } from "../worker/backends/index.js";

const BATCH = 64;
const CLASSES = 10;

const models: Record<string, { inputShape: number[]; build(): LayersModel }> = {
  mlp: {
    inputShape: [784],
    build: () =>
      sequential({
        layers: [
          layers.dense({ units: 512, activation: "relu", inputShape: [784] }),
          layers.dense({ units: 512, activation: "relu" }),
          layers.dense({ units: CLASSES }),
        ],
      }),
  },
  cnn: {
    inputShape: [28, 28, 1],
    build: () =>
      sequential({
        layers: [
          layers.conv2d({
            filters: 32,
            kernelSize: 3,
            padding: "same",
            activation: "relu",
            inputShape: [28, 28, 1],
          }),
          layers.conv2d({ filters: 64, kernelSize: 3, padding: "same", activation: "relu" }),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.flatten(),
          layers.dense({ units: 128, activation: "relu" }),
          layers.dense({ units: CLASSES }),
        ],
      }),
  },
};

/** How often each is measured; the cpu backend takes seconds for the convolutions. */
const runs: Record<BackendName, Record<string, { warmUp: number; measured: number }>> = {
  wasm: { mlp: { warmUp: 5, measured: 25 }, cnn: { warmUp: 2, measured: 9 } },
  cpu: { mlp: { warmUp: 1, measured: 3 }, cnn: { warmUp: 0, measured: 1 } },
};

export interface GradientResult {
  /** Median time of one gradient. */
  readonly ms: number;
  readonly fastestMs: number;
  readonly runs: number;
}

export interface GradientScenario {
  readonly scenario: "gradients";
  readonly batch: number;
  readonly threads: 1;
  readonly parameters: Readonly<Record<string, number>>;
  /** By backend and model, e.g. "wasm mlp". */
  readonly results: Readonly<Record<string, GradientResult>>;
}

export async function gradientScenario(): Promise<GradientScenario> {
  const results: Record<string, GradientResult> = {};
  const parameters: Record<string, number> = {};
  for (const name of Object.keys(runs) as BackendName[]) {
    const backend = await openBackend(name);
    for (const [model, { warmUp, measured }] of Object.entries(runs[name])) {
      const { gradient, size, dispose } = prepare(model);
      parameters[model] = size;
      for (let i = 0; i < warmUp; i++) gradient();
      const times = Array.from({ length: measured }, () => {
        const start = performance.now();
        gradient();
        return performance.now() - start;
      }).sort((a, b) => a - b);
      results[`${name} ${model}`] = {
        ms: round(times[Math.floor(times.length / 2)]),
        fastestMs: round(times[0]),
        runs: measured,
      };
      dispose();
    }
    backend.dispose();
  }
  return { scenario: "gradients", batch: BATCH, threads: 1, parameters, results };
}

function prepare(name: string): { gradient(): void; size: number; dispose(): void } {
  const { inputShape, build } = models[name];
  const model = build();
  const x = tf.randomUniform([BATCH, ...inputShape], 0, 1, "float32", 1);
  const labels = tf.tidy(() => tf.oneHot(tf.randomUniform([BATCH], 0, CLASSES, "int32", 2), CLASSES));
  const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const loss = (): tf.Scalar => tf.losses.softmaxCrossEntropy(labels, model.apply(x, { training: true }) as tf.Tensor);
  return {
    size: model.countParams(),
    gradient() {
      const { value, grads } = tf.variableGrads(loss, weights);
      for (const weight of weights) grads[weight.name].dataSync();
      tf.dispose([value, grads]);
    },
    dispose() {
      tf.dispose([x, labels]);
      model.dispose();
    },
  };
}

const round = (ms: number): number => Math.round(100 * ms) / 100;

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await gradientScenario()));
