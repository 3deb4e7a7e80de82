import { type BackendName, type BackendSettings, openBackend } from "../backends/index.js";
import { createGradients, type Gradients } from "../compute/gradients/index.js";
import { attachMemory, createWorkerMemory, weightsAddresses } from "../compute/index.js";
import type { Layout } from "../shared/layout/index.js";
import type { Dataset, Task } from "../tasks/index.js";
import { writeVector } from "./state.js";

export interface EvaluationOptions {
  readonly task: Pick<
    Task,
    "seed" | "loss" | "labelSmoothing" | "clipNorm" | "evaluationBatchSize" | "wire" | "precision"
  >;
  /** The model's topology, as JSON. */
  readonly topology: string;
  readonly layout: Layout;
  /** `layout.length` numbers, in layout order. */
  readonly theta: Float32Array;
  readonly data: Dataset;
  readonly backend?: BackendName;
  readonly backendSettings?: BackendSettings;
}

/** Evaluates weights in this process and this thread. */
export async function evaluateWeights(options: EvaluationOptions): Promise<{ loss: number; accuracy: number | null }> {
  const { task, topology, layout, theta, data } = options;
  const backend = await openBackend(options.backend ?? "wasm", options.backendSettings);
  const memory = attachMemory(createWorkerMemory({ layout, threads: 1, leaves: 1 }));
  const gradients = await createGradients({ task, topology, form: data, backend, memory });
  try {
    writeVector(memory, weightsAddresses(memory.plan), theta);
    gradients.load();
    const { loss, accuracy } = evaluateOn(data, task.evaluationBatchSize, gradients);
    return { loss, accuracy: task.loss === "meanSquaredError" ? null : accuracy };
  } finally {
    gradients.dispose();
    backend.dispose();
  }
}

/** The mean loss and the accuracy over a whole data set, batches added in order in float64. */
export function evaluateOn(
  dataset: Dataset,
  batchSize: number,
  gradients: Gradients,
): { loss: number; accuracy: number } {
  let [lossSum, correct] = [0, 0];
  for (let start = 0; start < dataset.samples; start += batchSize) {
    const indices = Uint32Array.from({ length: Math.min(batchSize, dataset.samples - start) }, (_, i) => start + i);
    const batch = { number: start / batchSize, samples: indices.length, ...dataset.read(indices) };
    const sums = gradients.evaluate(batch);
    lossSum += sums.lossSum;
    correct += sums.correct;
  }
  return { loss: lossSum / dataset.samples, accuracy: correct / dataset.samples };
}
