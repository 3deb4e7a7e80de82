/**
 * The gradient of one micro-batch, from raw bytes to numbers in the worker's shared memory: what every sum of a run
 * is made of. A micro-batch's gradient depends on the weights, its samples, its number n and the run's seed, and on
 * nothing that was computed before it: that is why anyone may compute it, at any time, twice.
 *
 * All of tfjs's work happens inside one `tidy`, from which nothing is returned: tidy walks whatever it is given,
 * element by element.
 */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import type { LayoutTensor } from "../../shared/layout/index.js";
import {
  type AugmentationKey,
  correctCount,
  decodeBatch,
  loadModel,
  lossOf,
  regularisationOf,
  type SampleSpec,
  sampleLossesOf,
  type Task,
} from "../../tasks/index.js";
import type { Backend } from "../backends/index.js";
import { flipBit, type GradientFlip } from "./gradient-flip.js";
import { keyDropout, prepareBatchNorm } from "./layers.js";
import { type Addresses, type MemoryPlan, type SharedMemory, viewElements, weightsAddresses } from "./memory.js";
import { NonFiniteError } from "./non-finite-error.js";
import { createSums } from "./sums.js";

/** The raw bytes of a micro-batch or an evaluation batch, in the data set's own element types. */
export interface SampleBatch {
  /** n of a micro-batch; of an evaluation batch, which has no randomness, it is not read. */
  readonly number: number;
  readonly samples: number;
  /** `samples` rows. */
  readonly inputs: Uint8Array;
  readonly labels: Uint8Array;
}

export interface GradientsOptions {
  readonly task: Pick<Task, "seed" | "loss" | "labelSmoothing" | "clipNorm">;
  /** The model's topology, as JSON. */
  readonly topology: string;
  /** The form of the raw bytes. */
  readonly form: SampleSpec;
  /** Open, and the one that tfjs computes on. */
  readonly backend: Backend;
  readonly memory: SharedMemory;
  /** For tests alone. */
  readonly flip?: GradientFlip;
}

export interface Gradients {
  /** Copies θ from the shared memories into the model. */
  load(): void;
  /**
   * Computes the clipped gradient of the mean loss of a micro-batch, regularisers included, and writes it, with the
   * batch statistics of BatchNorm behind it, to the vector at `target`.
   * @returns the mean loss, regularisers included.
   * @throws {NonFiniteError} if the loss or any element is NaN or infinite.
   */
  gradient(batch: SampleBatch, target: Addresses): number;
  /** The sum of the samples' losses, without regularisers, and how many are classified right; in inference mode. */
  evaluate(batch: SampleBatch): { lossSum: number; correct: number };
  /** Frees the model. */
  dispose(): void;
}

export async function createGradients(options: GradientsOptions): Promise<Gradients> {
  const { task, form, memory, flip } = options;
  const { plan, kernels } = memory;
  const { model, tensors } = await loadModel(options.topology, plan.layout);
  const bound = plan.layout.tensors.map((tensor) => ({
    ...tensor,
    variable: tensors.get(tensor.name)!.read() as tf.Variable,
  }));
  const parameters = bound.filter(({ kind }) => kind === "parameter");
  const tail = bound.filter(({ kind }) => kind === "tail");
  const trained = parameters.map(({ variable }) => variable);
  const loss = lossOf(task.loss, task.labelSmoothing);
  const sampleLosses = sampleLossesOf(task.loss);
  const regularisation = regularisationOf(model);
  const sums = createSums(memory, 0);
  const copies = createCopies(memory, options.backend);
  const setDropoutSeeds = keyDropout(model, task.seed);
  prepareBatchNorm(model, new Set(tail.map(({ name }) => tensors.get(name)!)));
  // What the tail's variables hold between micro-batches: the moving statistics are needed only to evaluate.
  const zeros = tail.map(({ shape }) => tf.zeros([...shape]));
  const moving: tf.Tensor[] = tail.map(({ shape }) => tf.zeros([...shape]));

  const fed = (batch: SampleBatch, key?: AugmentationKey): { inputs: tf.Tensor; labels: tf.Tensor } => {
    const decoded = decodeBatch(form, batch.inputs, batch.labels, batch.samples, key);
    return {
      inputs: tf.tensor(decoded.inputs, [batch.samples, ...form.input.shape]),
      labels: tf.tensor(
        decoded.labels,
        [batch.samples, ...form.label.shape],
        decoded.labels instanceof Int32Array ? "int32" : "float32",
      ),
    };
  };
  const setTail = (values: readonly tf.Tensor[]): void => {
    for (const [i, { variable }] of tail.entries()) variable.assign(values[i]);
  };

  /** Scales the parameters' gradient down to the norm that the task allows. */
  const clip = (target: Addresses): void => {
    if (task.clipNorm === null) return;
    let squares = 0;
    for (const [i, segment] of plan.segments.entries())
      squares += kernels[i].squaredNorm(target[i], segment.parameters);
    const norm = Math.sqrt(squares);
    if (norm <= task.clipNorm) return;
    for (const [i, segment] of plan.segments.entries()) {
      kernels[i].scale(target[i], segment.parameters, task.clipNorm / norm);
    }
  };

  return {
    load() {
      for (const tensor of bound) {
        if (tensor.kind === "tail") continue;
        const values = copies.read(tensor, weightsAddresses(plan));
        tensor.variable.assign(values);
        values.dispose();
      }
      for (const [i, tensor] of tail.entries()) {
        moving[i].dispose();
        moving[i] = copies.read(tensor, weightsAddresses(plan));
      }
    },

    gradient(batch, target) {
      setDropoutSeeds(batch.number);
      setTail(zeros);
      let meanLoss = Number.NaN;
      tf.tidy(() => {
        const { inputs, labels } = fed(batch, { seed: task.seed, microBatch: batch.number });
        const { value, grads } = tf.variableGrads(() => {
          const outputs = model.apply(inputs, { training: true }) as tf.Tensor;
          const data = loss(labels, outputs);
          return regularisation === undefined ? data : tf.add(data, regularisation());
        }, trained);
        meanLoss = value.dataSync()[0];
        // A parameter that the loss does not depend on is absent.
        for (const tensor of parameters) copies.write(grads[tensor.variable.name], tensor, target);
      });
      for (const tensor of tail) copies.write(tensor.variable, tensor, target);
      if (!Number.isFinite(meanLoss)) {
        throw new NonFiniteError(batch.number, `The loss of micro-batch ${batch.number} is ${meanLoss}.`);
      }
      if (!sums.allFinite(target)) {
        throw new NonFiniteError(batch.number, `The gradient of micro-batch ${batch.number} holds NaN or infinity.`);
      }
      clip(target);
      if (flip?.microBatch === batch.number) flipBit(memory, target, flip);
      return meanLoss;
    },

    evaluate(batch) {
      setTail(moving);
      const result = { lossSum: 0, correct: 0 };
      tf.tidy(() => {
        const { inputs, labels } = fed(batch);
        const outputs = model.apply(inputs, { training: false }) as tf.Tensor;
        for (const sampleLoss of sampleLosses(labels, outputs).dataSync()) result.lossSum += sampleLoss;
        result.correct = correctCount(task.loss, labels, outputs).dataSync()[0];
      });
      return result;
    },

    dispose() {
      tf.dispose([...zeros, ...moving]);
      model.dispose();
    },
  };
}

/** Copies between tfjs and the shared memories. */
interface Copies {
  /** A new tensor with the values of `tensor` in the vector at `from`. */
  read(tensor: LayoutTensor, from: Addresses): tf.Tensor;
  /** Writes the values of a tensor, or zeros, to the place of `tensor` in the vector at `to`. */
  write(values: tf.Tensor | undefined, tensor: LayoutTensor, to: Addresses): void;
}

function createCopies(memory: SharedMemory, backend: Backend): Copies {
  // The wasm backend copies what it is given into its own heap at once, so it may be given, and asked for, views. Any
  // other may keep the array it is given, and θ changes under it.
  const wasm = backend.name === "wasm" ? (tf.backend() as BackendWasm) : undefined;
  const valuesOf = (tensor: tf.Tensor): Float32Array =>
    (wasm?.typedArrayFromHeap(tensor) ?? tensor.dataSync()) as Float32Array;
  const parts = new Map(memory.plan.layout.tensors.map((tensor) => [tensor.name, partsOf(tensor, memory.plan)]));

  return {
    read(tensor, from) {
      const views = parts
        .get(tensor.name)!
        .map(({ segment, at, length }) => viewElements(memory, from, segment, at, length));
      if (wasm !== undefined && views.length === 1) return tf.tensor(views[0], [...tensor.shape]);
      const values = new Float32Array(tensor.length);
      let filled = 0;
      for (const view of views) {
        values.set(view, filled);
        filled += view.length;
      }
      return tf.tensor(values, [...tensor.shape]);
    },
    write(tensor, place, to) {
      const values = tensor === undefined ? undefined : valuesOf(tensor);
      let written = 0;
      for (const { segment, at, length } of parts.get(place.name)!) {
        const view = viewElements(memory, to, segment, at, length);
        if (values === undefined) view.fill(0);
        else view.set(values.subarray(written, written + length));
        written += length;
      }
    },
  };
}

/** Where a tensor lies: in one segment, or in several. */
function partsOf(tensor: LayoutTensor, plan: MemoryPlan): { segment: number; at: number; length: number }[] {
  return plan.segments.flatMap((segment, i) => {
    const at = Math.max(tensor.offset, segment.offset);
    const length = Math.min(tensor.offset + tensor.length, segment.offset + segment.length) - at;
    return length > 0 ? [{ segment: i, at, length }] : [];
  });
}
