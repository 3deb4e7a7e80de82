/**
 * A gradient as a compute thread computes it: raw bytes decoded, forward, backward, and every number written into the
 * worker's shared memory, checked to be finite. So what is measured is what a run pays.
 */

import { writeVector } from "../experiment/state.js";
import { buildModel } from "../tasks/index.js";
import { type BackendName, openBackend } from "../worker/backends/index.js";
import {
  attachMemory,
  createGradients,
  createWorkerMemory,
  gradientAddresses,
  weightsAddresses,
} from "../worker/compute/index.js";
import { type MeasuredModelName, measuredModels, randomBatch } from "./models.js";

export interface WorkerGradient {
  /** Computes it once more, of the same samples. The first three times may take another way than all later ones. */
  compute(): void;
  readonly parameters: number;
  dispose(): void;
}

export async function openWorkerGradient(backendName: BackendName, name: MeasuredModelName): Promise<WorkerGradient> {
  const measured = measuredModels[name];
  const backend = await openBackend(backendName);
  const { layout, topology, initialWeights } = await buildModel(
    { seed: 1, model: measured.model, initialWeights: "seeded", weightDecayExclude: [], freeze: [] },
    measured.form,
  );
  const memory = attachMemory(createWorkerMemory({ layout, threads: 1, leaves: 1 }));
  const task = {
    seed: 1,
    loss: "softmaxCrossEntropy" as const,
    labelSmoothing: 0,
    clipNorm: null,
    wire: "float32" as const,
    precision: "float32" as const,
  };
  const gradients = await createGradients({
    task,
    topology,
    form: measured.form,
    backend,
    memory,
    notice: console.error,
  });
  writeVector(memory, weightsAddresses(memory.plan), initialWeights);
  gradients.load();
  // Each time a new number, as in a run: the samples are the same, dropout's masks are not.
  let number = 0;
  const batch = randomBatch(measured);
  const target = gradientAddresses(memory.plan, 0);
  return {
    compute: () => void gradients.gradient({ ...batch, number: number++ }, target),
    parameters: layout.parameters,
    dispose() {
      gradients.dispose();
      backend.dispose();
    },
  };
}
