import type { IsobatchError } from "../../shared/errors.js";
import type { Chunk } from "../../shared/layout/index.js";

/** The weights that step `version` is computed with. */
export interface WeightsVersion {
  readonly term: number;
  readonly version: number;
}

/** Leaves [lo, hi) of a step to be computed. The core passes on what it does not read. */
export interface StepLease {
  readonly lease: number;
  readonly term: number;
  readonly step: number;
  /** n of the step's first micro-batch. */
  readonly firstMicroBatch: number;
  /** κ of the step. */
  readonly microBatches: number;
  readonly lo: number;
  readonly hi: number;
  readonly leafCoefficients1: readonly number[];
  readonly leafCoefficients2: readonly number[];
  readonly mac: Uint8Array;
}

/** Batches [firstBatch, endBatch) of the test part to be evaluated. */
export interface EvaluationLease {
  readonly term: number;
  readonly version: number;
  readonly firstBatch: number;
  readonly endBatch: number;
}

/** Something to compute. `id` is the core's own: a coordinator that was restarted numbers its leases from 1 again. */
export type Work =
  | { readonly id: number; readonly kind: "step"; readonly lease: StepLease }
  | { readonly id: number; readonly kind: "evaluation"; readonly lease: EvaluationLease };

export type StepWork = Extract<Work, { kind: "step" }>;

/** What the run looks like to this worker, once it has joined. */
export interface Attachment {
  /** The layout's. What is frozen never changes within a term, so its version is not compared. */
  readonly chunks: readonly Pick<Chunk, "kind">[];
  /** By shard: which chunks it holds. A shard is named by its place in this list. */
  readonly shards: readonly ShardChunks[];
  /** Micro-batches of the whole run. */
  readonly microBatchesTotal: number;
  /** Slots for sums that there can be, and how many of them computing one lease takes at most. */
  readonly slots: { readonly total: number; readonly perLease: number };
  /** Whether the memories that slots are in are new: then nobody has borrowed any of them. */
  readonly newMemory: boolean;
}

export interface ShardChunks {
  readonly firstChunk: number;
  readonly endChunk: number;
}

/** What the server is told of an error: its words, and whether only a connection is to blame. */
export interface Failure {
  readonly reason: string;
  readonly transient: boolean;
}

/** What happens to a worker. The shell adds nothing: it passes on what came, with the monotonic time. */
export type WorkerEvent =
  | { readonly kind: "start" }
  /** It has joined and the server knows that it is here. */
  | { readonly kind: "attached"; readonly attachment: Attachment }
  | {
      readonly kind: "attachFailed";
      readonly error: unknown;
      /** Whether the server might be reached another time. */
      readonly retriable: boolean;
      /** Whether it was the server that said so. */
      readonly answered: boolean;
    }
  /** At Join the server says that the run of before has ended. */
  | { readonly kind: "endedMeanwhile"; readonly ok: boolean; readonly reason: string }
  /** The stream to the coordinator broke or was ended from there. */
  | { readonly kind: "streamLost"; readonly error: IsobatchError }
  /** Nothing of the attachment that was to be closed is left. */
  | { readonly kind: "detached" }
  /** The server has ended the stream after the farewell, or has had the time to. */
  | { readonly kind: "farewellOver" }
  /** This worker can't go on. `told`: what the server is told of it before. */
  | { readonly kind: "failed"; readonly error: unknown; readonly told?: Failure }
  /** A person's wishes: to finish what is computed and go; to go at once. */
  | { readonly kind: "leave"; readonly reason: string }
  | { readonly kind: "stop" }
  /** The coordinator's commands. */
  | { readonly kind: "termOpened"; readonly term: number; readonly version: number }
  | { readonly kind: "lease"; readonly lease: StepLease }
  | { readonly kind: "evaluation"; readonly lease: EvaluationLease }
  | { readonly kind: "drain"; readonly reason: string }
  | { readonly kind: "runEnded"; readonly ok: boolean; readonly reason: string }
  /** A chunk has come, whole, and waits to be taken or skipped: the next of this shard is not read before. */
  | {
      readonly kind: "chunk";
      readonly shard: number;
      readonly chunk: number;
      readonly term: number;
      readonly version: number;
    }
  /** A shard that writes into θ by itself says that all of its chunks are of this version, as of its change `sequence`. */
  | {
      readonly kind: "shardWeights";
      readonly shard: number;
      readonly term: number;
      readonly version: number;
      readonly sequence: number;
    }
  | {
      readonly kind: "weightsStreamEnded";
      readonly shard: number;
      readonly reason: string;
      readonly broken: boolean;
      /** Whether the shard's part of θ has gone with it. */
      readonly gone?: boolean;
    }
  /** The threads have copied θ. `moved`: shards whose part of it changed meanwhile, so that the copy is of no version. */
  | { readonly kind: "loaded"; readonly moved?: readonly number[] }
  /** A thread died while θ was copied; new ones stand ready. */
  | { readonly kind: "loadFailed"; readonly reason: string }
  | {
      readonly kind: "computed";
      readonly work: number;
      /** Those that hold the lease's nodes. */
      readonly slots: readonly number[];
      readonly computeMs: number;
      readonly samplesMs: number;
    }
  | {
      readonly kind: "evaluated";
      readonly work: number;
      readonly lossSums: readonly number[];
      readonly correct: readonly number[];
    }
  | {
      readonly kind: "workFailed";
      readonly work: number;
      readonly failure: Failure;
      /** The n whose loss, gradient or sum is NaN or infinite, if that is what failed. */
      readonly nonFinite?: number;
      /** The threads that computed it died; new ones stand ready, and hold no weights. */
      readonly threadsDied?: boolean;
      /** The error itself, where its stack is wanted in the log. */
      readonly cause?: unknown;
    }
  /** The shard has taken its part of the lease, or dropped it. `lent`: it still reads the slots. */
  | { readonly kind: "pushed"; readonly work: number; readonly shard: number; readonly lent: boolean }
  | {
      readonly kind: "pushFailed";
      readonly work: number;
      readonly shard: number;
      readonly failure: Failure;
      /** The connection broke: the push may be made again, since a shard drops what it has. */
      readonly broken: boolean;
      /** Whether the shard may still read the slots in spite of it. */
      readonly lent: boolean;
    };

/** What the shell must do, in this order. Whatever takes time ends with an event. */
export type WorkerEffect =
  /**
   * Reach the server and join, after so long; a server that does not answer is waited for until `untilMs`, on the
   * clock of `nowMs`. `attached`, `attachFailed` or `endedMeanwhile` follows.
   */
  | { readonly kind: "attach"; readonly afterMs: number; readonly untilMs: number }
  /** No longer wait for a server that is away; the `attach` that is under way fails. */
  | { readonly kind: "cancelAttach" }
  /** Close every stream; `detached` follows when nothing is computed, pushed or loaded any more. */
  | { readonly kind: "detach" }
  /** Send nothing more, and let the server end the stream; `farewellOver` follows. */
  | { readonly kind: "farewell" }
  /** Close everything: the worker has ended so. */
  | { readonly kind: "end"; readonly ending: Ending }
  | { readonly kind: "report"; readonly report: WorkerReport }
  /** Open the shard's stream of weights after so long; `weightsStreamEnded` follows when it ends. */
  | { readonly kind: "watch"; readonly shard: number; readonly term: number; readonly afterMs: number }
  /** Copy the chunk that came into θ and read on. */
  | { readonly kind: "takeChunk"; readonly shard: number }
  /** Read on without it. */
  | { readonly kind: "skipChunk"; readonly shard: number }
  /**
   * Have all threads copy θ, which stands still until `loaded` or `loadFailed` comes. `sequences`: of the shards that write
   * into θ by themselves; one that is at another before or after the copying has moved.
   */
  | { readonly kind: "load"; readonly weights: WeightsVersion; readonly sequences: ReadonlyMap<number, number> }
  /** Start fetching samples that are neither here nor on the way. */
  | {
      readonly kind: "prefetch";
      readonly batches: "microBatch" | "evaluation";
      readonly first: number;
      readonly end: number;
    }
  /**
   * The same with micro-batches [first, first + count) of the next step, and what of the steps after it is worth having:
   * `every` further on, and so on, up to the end of the run.
   */
  | {
      readonly kind: "prefetchSteps";
      readonly first: number;
      readonly count: number;
      readonly every: number;
      readonly end: number;
    }
  /** The lease is likely to be computed next: its first samples can be made ready while its weights are on their way. */
  | { readonly kind: "prepare"; readonly work: StepWork }
  /** With the weights of the last `load`, which need not be over; `computed`, `evaluated` or `workFailed` follows. */
  | { readonly kind: "compute"; readonly work: Work }
  /** Nobody waits for what is being computed; its end follows all the same. */
  | { readonly kind: "abandon"; readonly work: number }
  /** Push a computed lease to a shard after so long; `pushed` or `pushFailed` follows. */
  | {
      readonly kind: "push";
      readonly work: StepWork;
      readonly shard: number;
      readonly afterMs: number;
      /** Whether the shard may go on reading the slots after its answer. */
      readonly lend: boolean;
    }
  /** Nobody wants these sums; the ends of its pushes follow all the same. */
  | { readonly kind: "cancelPush"; readonly work: number }
  /** Nothing is read from the lease's slots any more. */
  | { readonly kind: "releaseSlots"; readonly work: number; readonly slots: readonly number[] }
  | {
      readonly kind: "note";
      readonly level: "debug" | "info" | "warn";
      readonly message: string;
      readonly fields?: Readonly<Record<string, number>>;
      readonly cause?: unknown;
    };

/** What a worker reports to the coordinator. */
export type WorkerReport =
  | ({ readonly kind: "weightsHeld" } & WeightsVersion)
  /** Its threads are new and hold nothing. */
  | { readonly kind: "weightsLost" }
  | {
      readonly kind: "leaseComputed";
      readonly lease: number;
      readonly computeMs: number;
      readonly samplesMs: number;
    }
  | ({
      readonly kind: "leaseFailed";
      readonly lease: number;
      readonly microBatch: number;
      readonly nonFinite: boolean;
    } & Failure)
  | {
      readonly kind: "evaluated";
      readonly term: number;
      readonly version: number;
      readonly firstBatch: number;
      readonly lossSums: readonly number[];
      readonly correct: readonly number[];
    }
  | ({
      readonly kind: "evaluationFailed";
      readonly term: number;
      readonly version: number;
      readonly firstBatch: number;
    } & Failure)
  | { readonly kind: "leaving"; readonly reason: string }
  | ({ readonly kind: "failed" } & Failure);

/** How a worker's life ended: well, or with the reason why it could not go on. */
export type Ending = WorkerOutcome | { readonly error: unknown };

export interface WorkerOutcome {
  readonly reason: "run ended" | "left" | "sent away" | "stopped";
  /** Whether all is well: false for a run that failed, and for a worker that the server has sent away. */
  readonly ok: boolean;
  readonly message?: string;
}
