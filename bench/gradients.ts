/**
 * The gradient of one micro-batch on one thread, as a worker computes it, per backend and model.
 *
 * Run as a program it prints one line of JSON.
 */
import { fileURLToPath } from "node:url";
import { type BackendName, probeBackends } from "../backends/index.js";
import { settings } from "../backends/settings.test.helper.js";
import type { MeasuredModelName } from "./models.js";
import { fastest, median } from "./statistics.js";
import { openWorkerGradient } from "./worker-gradient.js";

interface Repetitions {
  readonly warmUp: number;
  readonly measured: number;
}

/** How many gradients are measured; the cpu backend takes seconds for each with convolutions. */
const repetitions: Record<string, Partial<Record<MeasuredModelName, Repetitions>>> = {
  "tfjs-node-gpu": { mlp: { warmUp: 5, measured: 50 }, cnn: { warmUp: 3, measured: 50 } },
  "tfjs-node": { mlp: { warmUp: 5, measured: 50 }, cnn: { warmUp: 3, measured: 15 } },
  wasm: { mlp: { warmUp: 5, measured: 25 }, cnn: { warmUp: 2, measured: 9 } },
  cpu: { mlp: { warmUp: 1, measured: 3 }, cnn: { warmUp: 0, measured: 1 } },
};

export interface GradientTimes {
  /** Median time of one gradient. */
  readonly ms: number;
  readonly fastestMs: number;
  readonly runs: number;
}

export interface GradientScenario {
  readonly scenario: "gradients";
  readonly threads: 1;
  readonly parameters: Readonly<Record<string, number>>;
  /** By backend and model, e.g. "wasm mlp". */
  readonly results: Readonly<Record<string, GradientTimes>>;
  /** The reason for each backend that does not work here. */
  readonly missing: Readonly<Record<string, string>>;
}

export async function gradientScenario(): Promise<GradientScenario> {
  const results: Record<string, GradientTimes> = {};
  const parameters: Record<string, number> = {};
  const missing: Record<string, string> = {};
  for (const { name, available, reason } of await probeBackends(settings)) {
    if (!available) {
      missing[name] = reason;
      continue;
    }
    for (const [model, { warmUp, measured }] of Object.entries(repetitions[name])) {
      const gradient = await openWorkerGradient(name as BackendName, model as MeasuredModelName);
      parameters[model] = gradient.parameters;
      measure(gradient.compute, warmUp);
      const times = measure(gradient.compute, measured);
      results[`${name} ${model}`] = { ms: median(times), fastestMs: fastest(times), runs: measured };
      gradient.dispose();
    }
  }
  return { scenario: "gradients", threads: 1, parameters, results, missing };
}

/** The time of each call, in ms. */
export function measure(call: () => void, times: number): number[] {
  return Array.from({ length: times }, () => {
    const start = performance.now();
    call();
    return performance.now() - start;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await gradientScenario()));
