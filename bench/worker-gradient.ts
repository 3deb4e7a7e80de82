/**
 * A gradient as a compute thread computes it: raw bytes decoded, forward, backward, and every number written into the
 * worker's shared memory, checked to be finite. So the measurement covers all that a run spends.
 */

import { type Backend, type BackendName, openBackend } from "../backends/index.js";
import { settings } from "../backends/settings.test.helper.js";
import { createGradients, type GradientsOptions } from "../compute/gradients/index.js";
import {
  attachMemory,
  createWorkerMemory,
  gradientAddresses,
  viewElements,
  weightsAddresses,
} from "../compute/index.js";
import { writeVector } from "../experiment/state.js";
import type { LayoutTensor } from "../shared/layout/index.js";
import { buildModel } from "../tasks/index.js";
import { type MeasuredModel, type MeasuredModelName, measuredModels, randomBatch } from "./models.js";

export interface WorkerGradient {
  /** Computes it once more, of the same samples. The first three times may take another way than all later ones. */
  compute(): void;
  /**
   * A function that computes it but leaves it on the device, to be summed there; undefined: it has to be summed on the host. To be
   * called after the first few gradients. The function's result is to be awaited before the function is called again.
   */
  inPlace(): (() => unknown) | undefined;
  /** Micro-batch `number`'s loss, and the elements of each of `results`. */
  of(number: number): { readonly loss: number; readonly tensors: readonly Float32Array[] };
  /** The tensors of a gradient: those that are trained, followed by the statistics. */
  readonly results: readonly LayoutTensor[];
  readonly parameters: number;
  /** Frees the model; the backend stays open. */
  close(): void;
  /** Frees the model and the backend. */
  dispose(): void;
}

export interface WorkerGradientOptions {
  /** Called with the reason why a model is not compiled; by default it is printed. */
  readonly notice?: (line: string) => void;
  /** Fields of the task that change what is computed. */
  readonly task?: Partial<GradientsOptions["task"]>;
  /** Changes the model's initial weights. */
  readonly change?: (weights: Float32Array) => Float32Array;
}

export async function openWorkerGradient(backendName: BackendName, name: MeasuredModelName): Promise<WorkerGradient> {
  return openGradientOf(await openBackend(backendName, settings), measuredModels[name]);
}

/** @param backend the open backend, on which tfjs computes. */
export async function openGradientOf(
  backend: Backend,
  measured: MeasuredModel,
  { notice = console.error, task: fields, change = (weights) => weights }: WorkerGradientOptions = {},
): Promise<WorkerGradient> {
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
    ...fields,
  };
  const gradients = await createGradients({ task, topology, form: measured.form, backend, memory, notice });
  writeVector(memory, weightsAddresses(memory.plan), change(initialWeights));
  gradients.load();
  // Each time a new number, as in a run: the samples are the same, dropout's masks are not.
  let number = 0;
  const batch = randomBatch(measured);
  const target = gradientAddresses(memory.plan, 0);
  const { plan } = memory;
  const results = layout.tensors.filter(({ kind }) => kind !== "frozen");
  return {
    compute: () => void gradients.gradient({ ...batch, number: number++ }, target),
    inPlace() {
      const sums = gradients.sums(gradients.decode({ ...batch, number }));
      return sums && (() => sums.compute(gradients.decode({ ...batch, number: number++ })));
    },
    of(number) {
      const loss = gradients.gradient({ ...batch, number }, target);
      const all = new Float32Array(layout.parameters + layout.tail);
      for (const [i, { offset, averaged }] of plan.segments.entries()) {
        all.set(viewElements(memory, target, i, offset, averaged), offset);
      }
      const tensors = results.map(({ offset, length }) => all.subarray(offset, offset + length));
      return { loss, tensors };
    },
    results,
    parameters: layout.parameters,
    close: () => gradients.dispose(),
    dispose() {
      gradients.dispose();
      backend.dispose();
    },
  };
}
