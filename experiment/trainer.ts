/**
 * Trains a task in this process and this thread: no cluster, no wire, no leases, but the same gradients, sums, tree,
 * coefficients and kernels as in a cluster, so it leaves the same bits. The cluster's tests compare with it, and
 * experiments run on it.
 */

import { type BackendName, type BackendSettings, openBackend } from "../backends/index.js";
import { createGradients, type Gradients } from "../compute/gradients/index.js";
import {
  attachMemory,
  createFold,
  createSums,
  createWorkerMemory,
  type FoldedNode,
  type GradientFlip,
  gradientAddresses,
  NonFiniteError,
  type SampleBatch,
  type SharedMemory,
  type Sums,
  slotsNeeded,
  sumAddresses,
  WHOLE,
  weightsAddresses,
} from "../compute/index.js";
import {
  type Coefficients,
  leafCoefficients,
  type NoiseParts,
  noiseParts,
  stepCoefficients,
  weightSums,
} from "../shared/optimizer/index.js";
import { stateHash } from "../shared/state-hash.js";
import { type KappaFact, kappaFactOf, kappaWith, largestKappa } from "../shared/steps/index.js";
import {
  createSampleOrder,
  type Dataset,
  microBatchesOf,
  type PreparedTask,
  prepareTask,
  type Task,
} from "../tasks/index.js";
import { evaluateOn } from "./evaluate.js";
import { applyStep, normsOf, readVector, writeVector } from "./state.js";

export interface TrainerOptions {
  /** Ends the run early, after this many steps. */
  readonly steps?: number;
  readonly backend?: BackendName;
  readonly backendSettings?: BackendSettings;
  /** Called after every step. */
  readonly onStep?: (report: StepReport) => void;
  /** Whether to evaluate, at the task's intervals and at the end; true by default. */
  readonly evaluate?: boolean;
  /** Evaluates after exactly these numbers of samples, instead of at the task's intervals. */
  readonly evaluateAt?: ReadonlySet<number>;
  /** Called after every evaluation, so that a run that diverges later keeps what it has measured. */
  readonly onEvaluation?: (evaluation: Evaluation) => void;
  /** Whether the initial weights are evaluated too; false by default, since a cluster does not. */
  readonly evaluateFirst?: boolean;
  /** The seed of the samples' order only; by default the task's seed, which decides all else in any case. */
  readonly orderSeed?: number;
  /** Whether to measure the gradient noise; false by default. */
  readonly measureNoise?: boolean;
  /** How κ changed in a run that this one replays; needed where κ follows the gradient noise. */
  readonly kappaRecord?: readonly KappaFact[];
  /** What `prepareTask` made of the task, to use it for several runs. */
  readonly prepared?: PreparedTask;
  /** For tests only. */
  readonly flip?: GradientFlip;
}

export interface StepReport {
  /** The number of steps done, including this one. */
  readonly step: number;
  /** The number of samples consumed, including this step's. */
  readonly samples: number;
  /** The mean over the step's micro-batches. */
  readonly loss: number;
  readonly computeMs: number;
}

export interface Evaluation {
  readonly step: number;
  readonly samples: number;
  /** The mean over the test part's samples. */
  readonly loss: number;
  /** The share of the test part's samples that is classified right. */
  readonly accuracy: number;
}

export interface TrainedState {
  readonly stateHash: string;
  readonly steps: number;
  readonly samples: number;
  /** `layout.length` numbers, in layout order. */
  readonly theta: Float32Array;
  /** `layout.parameters` numbers each. */
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** The losses, one per micro-batch, in order. */
  readonly losses: readonly number[];
  readonly evaluations: readonly Evaluation[];
  /** The mean over all steps of several micro-batches; undefined without one, or if it was not asked for. */
  readonly noise: NoiseParts | undefined;
}

/** @throws {NonFiniteError} if the training diverges. */
export async function trainInProcess(task: Task, options: TrainerOptions = {}): Promise<TrainedState> {
  const prepared = options.prepared ?? (await prepareTask(task));
  const { data, built } = prepared;
  const { layout, topology } = built;
  const backend = await openBackend(options.backend ?? "wasm", options.backendSettings);
  const largest = largestKappa(task.microBatchesPerStep);
  const workerMemory = createWorkerMemory({ layout, threads: 1, leaves: largest });
  const [moments, ...slots] = await workerMemory.takeSlots(1 + slotsNeeded(0, largest));
  const memory = attachMemory(workerMemory);
  const gradients = await createGradients({ task, topology, form: data.train, backend, memory, flip: options.flip });
  try {
    writeVector(memory, weightsAddresses(memory.plan), built.initialWeights);
    gradients.load();
    return run(task, prepared, options, memory, gradients, moments, slots);
  } finally {
    gradients.dispose();
  }
}

function run(
  task: Task,
  { data, built: { layout } }: PreparedTask,
  options: TrainerOptions,
  memory: SharedMemory,
  gradients: Gradients,
  moments: number,
  slots: readonly number[],
): TrainedState {
  const { plan } = memory;
  const { microBatchSize } = task;
  const sums = createSums(memory, 0);
  const order = createSampleOrder({
    seed: options.orderSeed ?? task.seed,
    microBatchSize,
    samples: data.train.samples,
  });
  const batchOf = (n: number): SampleBatch => readBatch(data.train, n, order.samplesOf(n));
  const microBatchesEnd = microBatchesOf(task);
  const losses: number[] = [];
  const evaluations: Evaluation[] = [];
  let c1 = 0;
  let c2 = 0;
  let step = 0;

  const evaluate = (): void => {
    if (options.evaluate === false || data.test === undefined) return;
    const samples = losses.length * microBatchSize;
    const evaluation = { step, samples, ...evaluateOn(data.test, task.evaluationBatchSize, gradients) };
    evaluations.push(evaluation);
    options.onEvaluation?.(evaluation);
  };
  const noise = { trace: 0, squaredGradient: 0, steps: 0 };
  const measureNoise = (slot: number, microBatches: number): void => {
    const weights = weightSums(microBatches, leafCoefficients(task.optimizer, task, microBatches));
    const parts = noiseParts({ ...normsOf(memory, slot), microBatchSize, weights });
    if (parts === undefined) return;
    noise.trace += parts.trace;
    noise.squaredGradient += parts.squaredGradient;
    noise.steps += 1;
  };
  if (options.evaluateFirst) evaluate();

  while (losses.length < microBatchesEnd && step < (options.steps ?? Number.POSITIVE_INFINITY)) {
    const startedAt = performance.now();
    const firstMicroBatch = losses.length;
    const microBatches = Math.min(kappaOf(task, options.kappaRecord, step), microBatchesEnd - firstMicroBatch);
    const coefficients: Coefficients = stepCoefficients({
      optimizer: task.optimizer,
      hyperparameters: task,
      schedule: task.schedule,
      microBatchSize,
      firstMicroBatch,
      microBatches,
      c1,
      c2,
    });
    const stepLosses: number[] = [];
    const root = foldStep(task, plan, slots, sums, firstMicroBatch, microBatches, (n, target) => {
      stepLosses.push(gradients.gradient(batchOf(n), target));
    });
    if (!sums.nodeFinite(root, WHOLE)) {
      throw new NonFiniteError(firstMicroBatch, `The sums of step ${step} overflow float32.`);
    }
    if (options.measureNoise) measureNoise(root.slot, microBatches);
    applyStep(memory, moments, root.slot, microBatches, coefficients);
    gradients.load();
    losses.push(...stepLosses);
    const evaluationsBefore = Math.floor((firstMicroBatch * microBatchSize) / task.evaluateEverySamples);
    const samples = losses.length * microBatchSize;
    ({ c1, c2 } = coefficients);
    step += 1;
    const loss = stepLosses.reduce((sum, value) => sum + value, 0) / microBatches;
    options.onStep?.({ step, samples, loss, computeMs: performance.now() - startedAt });
    const due = Math.floor(samples / task.evaluateEverySamples) > evaluationsBefore;
    if (options.evaluateAt?.has(samples) ?? due) evaluate();
  }
  if (evaluations.at(-1)?.step !== step && options.evaluateAt === undefined) evaluate();

  const theta = readVector(memory, weightsAddresses(plan), layout.length);
  const m = readVector(memory, sumAddresses(plan, moments, "s1"), layout.parameters);
  const v = readVector(memory, sumAddresses(plan, moments, "s2"), layout.parameters);
  return {
    stateHash: stateHash({ ...bytesOf({ theta, m, v }), step, microBatches: losses.length, c1, c2 }),
    steps: step,
    samples: losses.length * microBatchSize,
    theta,
    m,
    v,
    losses,
    evaluations,
    noise:
      noise.steps === 0
        ? undefined
        : { trace: noise.trace / noise.steps, squaredGradient: noise.squaredGradient / noise.steps },
  };
}

/** κ of a step: the record's, or that of one worker. */
function kappaOf({ microBatchesPerStep: rule }: Task, record: TrainerOptions["kappaRecord"], step: number): number {
  if (record !== undefined) {
    const fact = kappaFactOf(record, step);
    if (fact === undefined || fact.microBatches > largestKappa(rule)) throw new RangeError(`κ of step ${step}`);
    return fact.microBatches;
  }
  if (typeof rule !== "number" && "perNoiseScale" in rule) {
    throw new RangeError("κ follows the gradient noise of a cluster: give its record");
  }
  return kappaWith(rule, 1, 1);
}

/** Folds all of a step's leaves; returns the root with both sums, even if it is the only leaf. */
function foldStep(
  task: Task,
  plan: SharedMemory["plan"],
  slots: readonly number[],
  sums: Sums,
  firstMicroBatch: number,
  microBatches: number,
  computeGradient: (n: number, target: readonly number[]) => void,
): FoldedNode {
  const weights = leafCoefficients(task.optimizer, task, microBatches);
  const leaves = weights && { first: 0, ...weights };
  const fold = createFold(0, microBatches, microBatches, slots);
  for (let leaf = 0; leaf < microBatches; leaf++) {
    const { target } = fold;
    const addresses = target === "gradient" ? gradientAddresses(plan, 0) : sumAddresses(plan, target.slot, "s1");
    computeGradient(firstMicroBatch + leaf, addresses);
    for (const operation of fold.accept()) sums.perform(operation, leaves, WHOLE);
  }
  const [root] = fold.nodes();
  if (microBatches === 1) sums.perform({ kind: "square", slot: root.slot, leaf: 0 }, leaves, WHOLE);
  return root;
}

/** Each array as its bytes, in one slice. */
function bytesOf<Name extends string>(arrays: Record<Name, Float32Array>): Record<Name, Uint8Array[]> {
  const entries = Object.entries<Float32Array>(arrays);
  return Object.fromEntries(entries.map(([name, array]) => [name, [new Uint8Array(array.buffer)]])) as never;
}

function readBatch(dataset: Dataset, number: number, indices: Uint32Array): SampleBatch {
  return { number, samples: indices.length, ...dataset.read(indices) };
}
