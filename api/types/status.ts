/** A run at one moment, as `isobatch status --json` prints it. What is not known (yet) is null. */
export interface RunStatus {
  /** The version of Isobatch. */
  readonly version: string;
  readonly runId: string;
  /** The task's name. */
  readonly task: string;
  readonly phase: string;
  /** Starts and rollbacks so far. */
  readonly term: number;
  /** Steps committed. */
  readonly step: number;
  /** Steps of the whole run, if κ stays as it is. */
  readonly steps: number;
  readonly samples: number;
  readonly samplesTotal: number;
  /** The size of the training part. */
  readonly trainingSamples: number;
  /** The size of the test part; 0 without one. */
  readonly testSamples: number;
  readonly model: {
    /** `"sequential"`, `"functional"`, or the name of a built-in model. */
    readonly kind: string;
    readonly layers: number;
    readonly parameters: number;
    readonly trainedParameters: number;
  };
  readonly samplesPerSecond: number;
  readonly secondsLeft: number | null;
  /** The loss of the last step, before its update. */
  readonly loss: number | null;
  /** The last evaluation, of the weights before `step`; `accuracy` is in [0, 1]. */
  readonly evaluation: {
    readonly step: number;
    readonly loss: number | null;
    readonly accuracy: number | null;
  } | null;
  readonly microBatchSize: number;
  /** κ. */
  readonly microBatchesPerStep: number;
  /** How κ follows the run; empty where it is a number. */
  readonly kappaRule: string;
  /** η′ of the last step. */
  readonly learningRate: number | null;
  readonly gamma1: number | null;
  readonly gamma2: number | null;
  /** In samples. */
  readonly noiseScale: number | null;
  readonly workersAdvised: number | null;
  readonly advice: string;
  /** Why the run has failed. */
  readonly failure: string | null;
  /** The last failure of a worker. */
  readonly workerFailure: string | null;
  /** The step of the newest checkpoint. */
  readonly checkpointStep: number | null;
  readonly workers: readonly AttachedWorker[];
  readonly shards: readonly ServerShard[];
}

/** A worker that is attached to a run. */
export interface AttachedWorker {
  readonly id: string;
  readonly host: string;
  readonly processId: number;
  readonly state: string;
  /** What it computes with, in words. */
  readonly device: string;
  readonly backend: string;
  /** What else decides the bits of its gradients. */
  readonly flags: string;
  readonly computeThreads: number;
  /** Micro-batches that it has computed. */
  readonly microBatches: number;
  readonly microBatchesPerSecond: number;
  readonly lastSeenSeconds: number;
  /** `"memory"`, `"wire"`, or null until it is known. */
  readonly transport: string | null;
}

/** A server process that holds a share of the weights. */
export interface ServerShard {
  readonly index: number;
  /** HOST:PORT, or :PORT on the coordinator's host. */
  readonly address: string;
  readonly state: string;
  /** The version of its weights: the steps applied. */
  readonly version: number;
  readonly firstChunk: number;
  readonly endChunk: number;
}
