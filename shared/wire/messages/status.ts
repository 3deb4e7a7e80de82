import type { Numerics } from "../../numerics.js";
import type * as generated from "../generated/index.js";
import { asInput, type MessageForm } from "./form.js";

/** A run's status. Unknown numbers are NaN unless noted otherwise. */
export interface Status {
  readonly runId: string;
  readonly task: string;
  readonly phase: string;
  readonly term: number;
  readonly step: number;
  readonly steps: number;
  readonly samples: number;
  readonly samplesTotal: number;
  readonly loss: number;
  readonly samplesPerSecond: number;
  /** κ of the open step, or of the newest. */
  readonly microBatchesPerStep: number;
  readonly workers: readonly WorkerStatus[];
  readonly shards: readonly ShardStatus[];
  /** −1: none yet. */
  readonly checkpointStep: number;
  /** Steps before the newest evaluation; 0: the untrained model; −1: not evaluated yet. */
  readonly evaluationStep: number;
  readonly evaluationLoss: number;
  readonly evaluationAccuracy: number;
  readonly secondsLeft: number;
  readonly version: string;
  readonly evaluated: boolean;
  /** b, in samples. */
  readonly microBatchSize: number;
  /** B_simple, in samples, smoothed over the steps. */
  readonly noiseScale: number;
  /** The largest number of workers that still improves throughput; 0: not known yet. */
  readonly workersAdvised: number;
  /** The same advice in words. */
  readonly advice: string;
  /** η' of the newest step. */
  readonly learningRate: number;
  /** Γ1 and Γ2 of the same step. */
  readonly gamma1: number;
  readonly gamma2: number;
  /** How κ follows the workers or the noise, in words. */
  readonly kappaRule: string;
  /** Why the run has failed, a sentence; empty if it has not. */
  readonly failure: string;
  /** The last failure of a worker while nothing has been computed since; empty if there is none. */
  readonly workerFailure: string;
  /** "sequential", "functional", or a built-in model's name. */
  readonly modelKind: string;
  /** Layers of the model and of models inside it, without inputs. */
  readonly modelLayers: number;
  /** Numbers in the model, including those that are not trained. */
  readonly parameters: number;
  readonly trainedParameters: number;
  /** Samples of the training data: an epoch. */
  readonly trainingSamples: number;
  /** 0: there is no test part. */
  readonly testSamples: number;
}

export interface WorkerStatus {
  readonly id: string;
  readonly host: string;
  readonly processId: number;
  readonly numerics: Numerics;
  readonly computeThreads: number;
  readonly state: string;
  readonly microBatchesPerSecond: number;
  readonly microBatches: number;
  readonly lastSeenSeconds: number;
  readonly device: string;
  /** How its numbers travel; empty: not known yet. */
  readonly transport: string;
}

export interface ShardStatus {
  readonly index: number;
  readonly address: string;
  readonly state: string;
  readonly version: number;
  readonly firstChunk: number;
  readonly endChunk: number;
}

export interface WatchMetricsRequest {
  readonly fromLine: number;
}

/** A line of metrics.jsonl, with its number. */
export interface MetricsMessage {
  readonly line: number;
  readonly json: string;
}

export const statusForm: MessageForm<Status, generated.Status, generated.Status__Output> = {
  encode: asInput<generated.Status>,
  decode: ({ workers, ...status }) => ({
    ...status,
    workers: workers.map(({ numerics, ...worker }) => ({ ...worker, numerics: numerics ?? NO_NUMERICS })),
  }),
};

const NO_NUMERICS: Numerics = { backend: "", version: "", architecture: "", flags: "" };
