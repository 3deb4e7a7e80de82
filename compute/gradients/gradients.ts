/**
 * The gradient of one micro-batch, from raw bytes to numbers in the worker's shared memory: what every sum of a run
 * is made of. A micro-batch's gradient depends on the weights, its samples, its number n and the run's seed, and on
 * nothing that was computed before it: so any worker may compute it, at any time, and more than once.
 */

import type { Backend } from "../../backends/index.js";
import { began, span } from "../../shared/trace/index.js";
import { type AugmentationKey, decodeBatch, type SampleSpec, type Task } from "../../tasks/index.js";
import { type Awaitable, whenAvailable } from "../awaitable.js";
import { createWireRounding, type WireRounding } from "../bfloat16.js";
import { NonFiniteError } from "../errors.js";
import { flipBit, type GradientFlip } from "../gradient-flip.js";
import { type Addresses, gradientAddresses, type SharedMemory } from "../memory.js";
import { createSums } from "../sums.js";
import { compiledGradient } from "./compiled-gradient.js";
import { type Copies, createCopies } from "./copies.js";
import { computeByOperations, type GradientComputing } from "./gradient-computing.js";
import { gradientForm, hostVectors } from "./gradient-form.js";
import { indexError, namingBatch } from "./index-errors.js";
import { type DecodedMicroBatch, type ModelGradient, openModelGradient } from "./model-gradient.js";
import type { ComputedGradient, ModelSums } from "./model-program.js";
import { fittingWeights, withinMemory, withoutSearch } from "./within-memory.js";

/** The raw bytes of a micro-batch or an evaluation batch, in the data set's own element types. */
export interface SampleBatch {
  /** The number n of a micro-batch; not read for an evaluation batch, which has no randomness. */
  readonly number: number;
  readonly samples: number;
  /** `samples` rows. */
  readonly inputs: Uint8Array;
  readonly labels: Uint8Array;
}

export interface GradientsOptions {
  readonly task: Pick<Task, "seed" | "loss" | "labelSmoothing" | "clipNorm" | "wire" | "precision">;
  /** The model's topology, as JSON. */
  readonly topology: string;
  /** The form of the raw bytes. */
  readonly form: SampleSpec;
  /** The backend, which is open and which tfjs computes on. */
  readonly backend: Backend;
  readonly memory: SharedMemory;
  /** The number of this thread, whose gradient buffer is free whenever weights are loaded; 0 by default. */
  readonly thread?: number;
  /** Called once if the backend can compile but not this model. */
  readonly notice?: (line: string) => void;
  /** Only for tests, by ISOBATCH_FLIP_GRADIENT_BIT. */
  readonly flip?: GradientFlip;
  /**
   * Where gradients are summed once a program computes them; by default in the program if the gradient's bits are its
   * own.
   */
  readonly foldOn?: "host" | "program";
}

/** The sums that a program keeps where it computes gradients. */
export interface GradientSums extends Pick<ModelSums, "perform" | "smallestCoefficient"> {
  /**
   * Computes as `Gradients.compute` does, but leaves the gradient where it was computed. Nothing else may be called
   * until the result is available.
   */
  compute(batch: DecodedMicroBatch): Awaitable<number>;
  /** Copies a slot's sums to the host; nothing else may be called until the result is available. */
  read(...of: Parameters<ModelSums["read"]>): Awaitable<boolean>;
}

export interface Gradients {
  /** Copies θ from the shared memories into the model. */
  load(): void;
  /**
   * Computes the clipped gradient of the mean loss of a micro-batch, regularisers included, and writes it, with the
   * batch statistics of BatchNorm after it, to the vector at `target`.
   * @returns the mean loss, regularisers included
   * @throws {NonFiniteError} if the loss or any element is NaN or infinite
   * @throws {TooLargeError} if memory runs out, with how many samples fit
   */
  gradient(batch: SampleBatch, target: Addresses): number;
  /** The first half of `gradient`, for which no weights are needed: raw bytes become numbers. */
  decode(batch: SampleBatch): DecodedMicroBatch;
  /** The second half of `gradient`. */
  compute(batch: DecodedMicroBatch, target: Addresses): number;
  /**
   * Does other work on a micro-batch. If memory runs out, gradients of parts of it are computed, to find how many
   * samples fit.
   * @throws {TooLargeError} if memory runs out.
   */
  within<T>(batch: DecodedMicroBatch, work: () => T): T;
  /** The sums of the program that computes such micro-batches; undefined: gradients have to be summed on the host. */
  sums(batch: DecodedMicroBatch): GradientSums | undefined;
  /** The sum of the samples' losses, without regularisers, and how many are classified right; in inference mode. */
  evaluate(batch: SampleBatch): { lossSum: number; correct: number };
  /** Frees the model. */
  dispose(): void;
}

export async function createGradients(options: GradientsOptions): Promise<Gradients> {
  const { task, topology, form, backend, memory, flip } = options;
  const { plan } = memory;
  const copies = createCopies(memory, backend);
  const rounding = createWireRounding(task.wire, memory, options.thread ?? 0);
  const device = `the backend ${backend.name}`;
  const weights = plan.layout.length;
  const opening = { task, topology, form, plan, copies, weightsAt: rounding.weightsAt };
  const model = await fittingWeights(weights, device, () => openModelGradient(opening));
  /** Clips and rounds a gradient before it enters any sum. */
  const finish = (target: Addresses): void => {
    clip(memory, task.clipNorm, target);
    rounding.roundGradient(target);
  };
  const computing = createGradientComputing(options, model, copies, rounding, finish);
  const sums = createSums(memory, 0);
  const scratch = gradientAddresses(plan, options.thread ?? 0);
  const decoded = createDecoding(form, model);

  const decode = (batch: SampleBatch): DecodedMicroBatch => {
    const { number } = batch;
    const begun = began();
    const key = { seed: task.seed, microBatch: number };
    const decodedBatch = withoutSearch("microBatchSize", batch, () => decoded(`micro-batch ${number}`, batch, key));
    span("decode", begun, number);
    return decodedBatch;
  };

  const looksFinite = (number: number, target: Addresses): boolean => {
    const begun = began();
    const finite = sums.allFinite(target);
    span("finite", begun, number);
    return finite;
  };

  const within: Gradients["within"] = (batch, work) =>
    withinMemory("microBatchSize", device, batch, work, (part) =>
      backend.inPrecision(task.precision, () => computing.compute(part, scratch)),
    );

  const checked: Checked = <T extends Awaitable<ComputedGradient>>(batch: DecodedMicroBatch, work: () => T): T => {
    const { number } = batch;
    const begun = began();
    const computed: Awaitable<ComputedGradient> = namingBatch(`micro-batch ${number}`, () =>
      within(batch, () => backend.inPrecision(task.precision, work)),
    );
    return whenAvailable(computed, (result) => {
      span("gradient", begun, number);
      refuseNonFinite(number, result);
      return result;
    }) as T;
  };

  const compute = (batch: DecodedMicroBatch, target: Addresses): number => {
    const { number } = batch;
    const { loss, finite, finished = false } = checked(batch, () => computing.compute(batch, target));
    if (finite === undefined) refuseNonFinite(number, { loss, finite: looksFinite(number, target) });
    if (!finished) finish(target);
    if (flip?.microBatch === number) flipBit(memory, target, flip);
    return loss;
  };

  return {
    load() {
      rounding.roundWeights();
      fittingWeights(weights, device, computing.load);
    },

    gradient: (batch, target) => compute(decode(batch), target),
    decode,
    compute,
    within,
    sums(batch) {
      const sums = computing.sums?.(batch);
      return sums && checkedSums(sums, checked);
    },

    evaluate(batch) {
      const name = `evaluation batch ${batch.number}`;
      const evaluate = (part: SampleBatch) =>
        backend.inPrecision(task.precision, () => computing.evaluate(decoded(name, part)));
      return namingBatch(name, () => withinMemory("evaluationBatchSize", device, batch, evaluate));
    },
    dispose: computing.dispose,
  };
}

/**
 * Computes a micro-batch, in this thread or another one, and rejects a result that is not finite.
 * @throws {NonFiniteError} if something is known not to be finite
 * @throws {TooLargeError} if memory runs out
 */
type Checked = <T extends Awaitable<ComputedGradient>>(batch: DecodedMicroBatch, work: () => T) => T;

function checkedSums(
  { perform, smallestCoefficient, compute, read, later }: ModelSums,
  checked: Checked,
): GradientSums {
  return {
    perform,
    smallestCoefficient,
    read: later?.read ?? read,
    compute: (batch) =>
      whenAvailable(
        checked(batch, (): Awaitable<ComputedGradient> => (later?.compute ?? compute)(batch)),
        ({ loss }) => loss,
      ),
  };
}

type Decoding = (name: string, batch: SampleBatch, key?: AugmentationKey) => DecodedMicroBatch;

/** Turns raw bytes into numbers, and rejects those that a layer has no row for; the error names the batch. */
function createDecoding(form: SampleSpec, model: ModelGradient): Decoding {
  return (name, { number, samples, inputs, labels }, key) => {
    const decoded = decodeBatch(form, inputs, labels, samples, key);
    const fault = model.checkIndices(decoded.inputs, samples);
    if (fault !== undefined) throw indexError(name, fault);
    return { number, samples, ...decoded };
  };
}

/** Scales the parameters' gradient down to the norm that the task allows. */
function clip({ plan, kernels }: SharedMemory, clipNorm: number | null, target: Addresses): void {
  if (clipNorm === null) return;
  let squares = 0;
  for (const [i, segment] of plan.segments.entries()) {
    squares += kernels[i].squaredNorm(target[i], segment.parameters);
  }
  const norm = Math.sqrt(squares);
  if (norm <= clipNorm) return;
  for (const [i, segment] of plan.segments.entries()) {
    kernels[i].scale(target[i], segment.parameters, clipNorm / norm);
  }
}

/** @param finite whether `computed` is finite; undefined: it has not been checked yet */
function refuseNonFinite(number: number, { loss, finite = true }: ComputedGradient): void {
  if (!Number.isFinite(loss)) {
    throw new NonFiniteError(number, `The loss of micro-batch ${number} is ${loss}.`);
  }
  if (!finite) throw new NonFiniteError(number, `The gradient of micro-batch ${number} holds NaN or infinity.`);
}

function createGradientComputing(
  { backend: { compiler }, notice, task, memory, flip, foldOn }: GradientsOptions,
  model: ModelGradient,
  copies: Copies,
  { weightsAt }: WireRounding,
  finish: (target: Addresses) => void,
): GradientComputing {
  if (compiler === undefined) return computeByOperations(model);
  const refused = (reason: string) =>
    notice?.(`the model's gradient is computed operation by operation, which is slower, because ${reason}`);
  // A program whose bits are the gradient's runs on a device with its own memory, from which copying is expensive. A
  // bit that
  // a test flips is flipped on the host, before the gradient enters any sum.
  const folds = (foldOn ?? (compiler.bits === "program" ? "program" : "host")) === "program" && flip === undefined;
  const vectorsAt = (target: Addresses) => hostVectors(memory, target);
  const keeping = folds ? { form: gradientForm(memory.plan, model.results, task), vectorsAt, finish } : undefined;
  return compiledGradient({ compiler, model, copies, weightsAt, refused, keeping });
}
