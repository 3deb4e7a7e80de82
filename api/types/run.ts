import type { RunEvent } from "./events.js";
import type { Logging } from "./log.js";
import type { RunStatus } from "./status.js";

/** What `train` and `serve` have in common. */
export interface RunOptions extends Logging {
  /** The run directory; one that holds this run resumes it. Default: `runs/NAME`, with the task's name. */
  readonly out?: string;
  /** The run's length in steps, instead of the task's `samples`. */
  readonly steps?: number;
  /** The run's length in samples, instead of the task's. */
  readonly samples?: number;
  /** κ, instead of the task's. */
  readonly microBatchesPerStep?: number | { readonly perWorker: number; readonly min?: number; readonly max?: number };
  /** The seed, instead of the task's. */
  readonly seed?: number;
  /** The data set's file or folder, instead of the task's. */
  readonly data?: string;
  /**
   * Values for other fields of the task, by name; a dot leads into a field:
   * `{ learningRate: 0.01, "schedule.kind": "constant" }`.
   */
  readonly set?: Readonly<Record<string, unknown>>;
  /** A run directory, or a `kappa.jsonl`, whose κ is taken step by step, to the same bits. */
  readonly replayKappa?: string;
  /** Whether a schedule that ends with the run may be stretched where a resumed run is made longer. Default: false. */
  readonly extend?: boolean;
  /** Server processes that share the weights. Default: 1. */
  readonly shards?: number;
  /** Where the server listens, HOST:PORT; port 0 is any free one. Default: `127.0.0.1:0` for `train`, `127.0.0.1:7400` for `serve`. */
  readonly listen?: string;
  /** How the server proves who it is, and encrypts. Default: `"auto"`. */
  readonly tls?: TlsChoice;
  /**
   * Where the dashboard and the metrics are served over HTTP, HOST:PORT; false: nowhere. Default: false for `train`; for `serve` on
   * this machine only, on the port after the server's or on any free one.
   */
  readonly dashboard?: string | false;
  /** How the command `isobatch` is called, for the command by which workers join that the dashboard shows. Default: `"isobatch"`. */
  readonly command?: string;
  /** What started the run, for its record: it is written to metrics.jsonl, so it must not hold a secret. Default: nothing. */
  readonly commandLine?: string;
  /** Writes what each process and thread did when to this file, for ui.perfetto.dev. There is one trace per process. */
  readonly trace?: string;
  /** A checkpoint is written after this many seconds too. Default: only those of the task. */
  readonly checkpointEverySeconds?: number;
  /** Ends the run after its open step and a checkpoint, as `stop()` does. */
  readonly signal?: AbortSignal;
  /** Settings that the command line takes from its environment. Default: none. */
  readonly settings?: Settings;
}

/**
 * - `"auto"`: by the server's own CA where other machines can reach it; not at all on a loopback address;
 * - `true`: by its own CA; `false`: never;
 * - files in PEM: your own certificate and key, or `clientCaFile`, which admits only clients with a certificate of that CA.
 */
export type TlsChoice =
  | "auto"
  | boolean
  | { readonly certFile?: string; readonly keyFile?: string; readonly clientCaFile?: string };

/**
 * Environment variables that Isobatch takes settings from, such as ISOBATCH_TENSORFLOW and ISOBATCH_MEMORY. The library does not
 * read the environment; pass a process's own to do what the command line does.
 */
export type Settings = Readonly<Record<string, string | undefined>>;

/** How `train` computes. */
export interface TrainOptions extends RunOptions {
  /** Worker processes on this machine. Default: 2; where they compute on GPUs, one per GPU. */
  readonly workers?: number;
  /** What they compute with: `"wasm"`, `"cpu"`, `"tfjs-node"` or `"tfjs-node-gpu"`. Default: the first that works. */
  readonly backend?: string;
  /** Threads of each worker. Default: the cores, divided among the workers; 1 on a GPU. */
  readonly computeThreads?: number;
  /** How workers' numbers travel: in memory where it can be shared, else over the wire. Default: `"auto"`. */
  readonly transport?: "auto" | "memory" | "wire";
}

/** How `serve` listens and ends. */
export interface ServeOptions extends RunOptions {
  /** Where workers reach the server, HOST:PORT, if that is not where it listens. */
  readonly advertise?: string;
  /** The first step waits for this many workers, for a minute at most. Default: 1. */
  readonly workersAwaited?: number;
  /** A file that holds the join token, or is made to hold it. Default: a file in the run directory. */
  readonly tokenFile?: string;
  /** Whether the server keeps answering when the run has ended or failed, until `stop()` or `abort()`. Default: false. */
  readonly stay?: boolean;
}

/** A run whose server is in this process. */
export interface TrainingRun {
  /** Its id, the same after a restart. */
  readonly id: string;
  /** The task's name. */
  readonly task: string;
  /** The run directory. */
  readonly out: string;
  /** Whether the directory held this run before. */
  readonly resumed: boolean;
  /** Whether it was trained to its end before: then no worker is started. */
  readonly alreadyComplete: boolean;
  /** Worker processes that it starts on this machine. */
  readonly workersStarted: number;
  /** Where the server listens, HOST:PORT. */
  readonly address: string;
  /** The dashboard's URL, if there is one. */
  readonly dashboard: string | undefined;
  /**
   * What came of the run, once it has ended and nothing of it is left: no process, no port, no lock. (With `stay`, once it has
   * ended.) Rejects with an IsobatchError when the run fails, when no worker is left, and after `abort()`.
   */
  readonly result: Promise<TrainingResult>;
  /** The run as it is now. */
  status(): RunStatus;
  /**
   * What happens in the run, from the moment it was started or resumed here, however late this is called; each call returns
   * its own iterator. A slow reader loses nothing and costs no memory. It ends with the run, and does not throw when the run fails:
   * `result` does.
   */
  events(options?: EventOptions): AsyncIterableIterator<RunEvent>;
  /** Writes a checkpoint after the open step. Resolves with its step once it is on disk, or with the last one when the run ends. */
  checkpoint(): Promise<number>;
  /** Ends the run after its open step and a checkpoint. Resolves as `result` does; training can be resumed from there. */
  stop(options?: StopOptions): Promise<TrainingResult>;
  /** Ends everything at once. The newest checkpoint is where the run resumes; `result` rejects with the code `interrupted`. */
  abort(): Promise<void>;
}

/** Which events are wanted. */
export interface EventOptions {
  /** Also those of earlier starts, from the run's first step on. Default: false. */
  readonly earlier?: boolean;
}

/** How a run is stopped. */
export interface StopOptions {
  /** Workers are left to wait for the server to come back. Default: false. */
  readonly workersWait?: boolean;
}

/** A server that workers of this and other machines join. */
export interface RunServer extends TrainingRun {
  /** Where workers reach the server, HOST:PORT: what they pass to `join`. */
  readonly joinAddress: string;
  /** What workers pass to `join` as `token`; undefined if it was revoked. Keep it secret. */
  readonly token: string | undefined;
  /** Whether the token was made by this start, and so has not been shown to anybody. */
  readonly tokenIsNew: boolean;
  /** Whether connections are encrypted. */
  readonly encrypted: boolean;
}

/** What came of a run. */
export interface TrainingResult {
  /** `"complete"`: trained to its end. `"already complete"`: it was before. `"stopped"`: it can be resumed. */
  readonly outcome: "complete" | "already complete" | "stopped";
  readonly summary: RunSummary;
}

/** The content of `summary.json`. */
export interface RunSummary {
  /** The task's name. */
  readonly task: string;
  readonly optimizer: string;
  readonly runId: string;
  /** The version of Isobatch. */
  readonly version: string;
  /** SHA-256 of weights, averages and counters, in hexadecimal: equal for equal runs, whatever the cluster. */
  readonly stateHash: string;
  readonly steps: number;
  readonly samples: number;
  /** Since the last start. */
  readonly samplesPerSecond: number;
  /** Since the last start. */
  readonly durationSeconds: number;
  /** Steps that were computed again, after a crash or a rollback. */
  readonly recomputedSteps: number;
  /** The loss of the first step, and the mean of the last `steps` steps; null before the second step. */
  readonly trainingLoss: {
    readonly first: number;
    readonly last: number;
    readonly steps: number;
    /** Whether the end is above the start by more than noise. */
    readonly risen: boolean;
  } | null;
  /** The last evaluation on the test part; null without one. `accuracy` is in [0, 1]. */
  readonly finalEvaluation: { readonly step: number; readonly loss: number; readonly accuracy: number | null } | null;
  /** After how many samples the schedule was stretched, each time. */
  readonly extendedAtSamples: readonly number[];
  /** The workers since the last start. */
  readonly workers: readonly {
    readonly id: string;
    readonly host: string;
    readonly device: string;
    readonly microBatches: number;
    /** Its share of all micro-batches, in [0, 1]. */
    readonly share: number;
  }[];
  /** What decides the bits of a gradient, of the first worker; null before one has joined. */
  readonly numerics: {
    readonly backend: string;
    readonly version: string;
    readonly architecture: string;
    readonly flags: string;
  } | null;
  /** Whether repeating the run gives the same bits. */
  readonly bitExact: boolean;
  /** Starts and rollbacks so far. */
  readonly terms: number;
  /** ISO 8601. */
  readonly finishedAt: string;
  /** Why the run failed; null: it did not. */
  readonly failure: { readonly code: string; readonly reason: string } | null;
}
