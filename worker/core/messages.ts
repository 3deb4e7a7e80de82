import type { IsobatchError } from "../../shared/errors.js";
import type { Chunk } from "../../shared/layout/index.js";

/** The weights that step `version` is computed with. */
export interface WeightsVersion {
  readonly term: number;
  readonly version: number;
}

/** Leaves [lo, hi) of a step, to be computed. The core passes on the fields that it does not read. */
export interface StepLease {
  readonly lease: number;
  readonly term: number;
  readonly step: number;
  /** The number n of the step's first micro-batch. */
  readonly firstMicroBatch: number;
  /** κ of the step. */
  readonly microBatches: number;
  readonly lo: number;
  readonly hi: number;
  readonly leafCoefficients1: readonly number[];
  readonly leafCoefficients2: readonly number[];
  readonly mac: Uint8Array;
}

/** Batches [firstBatch, endBatch) of the test part, to be evaluated. */
export interface EvaluationLease {
  readonly term: number;
  readonly version: number;
  readonly firstBatch: number;
  readonly endBatch: number;
}

/** Something to compute. The core assigns `id`: a coordinator that was restarted numbers its leases from 1 again. */
export type Work =
  | { readonly id: number; readonly kind: "step"; readonly lease: StepLease }
  | { readonly id: number; readonly kind: "evaluation"; readonly lease: EvaluationLease };

export type StepWork = Extract<Work, { kind: "step" }>;

/** What the run looks like to this worker, once it has joined. */
export interface Attachment {
  /** The layout's chunks. Frozen weights never change within a term, so their version is not compared. */
  readonly chunks: readonly Pick<Chunk, "kind">[];
  /** The chunks that each shard holds. A shard is identified by its place in this list. */
  readonly shards: readonly ShardChunks[];
  /** The number of micro-batches of the whole run. */
  readonly microBatchesTotal: number;
  /** The most slots for sums that there can be, and the most that computing one lease takes. */
  readonly slots: { readonly total: number; readonly perLease: number };
  /** Whether the memories that hold the slots are new: then no shard has borrowed any slot. */
  readonly newMemory: boolean;
}

export interface ShardChunks {
  readonly firstChunk: number;
  readonly endChunk: number;
}

/** What is reported to the server about an error: its message, and whether only a connection caused it. */
export interface FailureReport {
  readonly reason: string;
  readonly transient: boolean;
}

/** What happens to a worker. The shell adds nothing: it passes on what it received, with the monotonic time. */
export type WorkerEvent =
  | { readonly kind: "start" }
  /** The worker has joined, and the server knows that it is attached. */
  | { readonly kind: "attached"; readonly attachment: Attachment }
  | {
      readonly kind: "attachFailed";
      readonly error: unknown;
      /** Whether another attempt might reach the server. */
      readonly retriable: boolean;
      /** Whether the server itself answered. */
      readonly answered: boolean;
    }
  /** In answer to Join the server says that the previous run has ended. */
  | { readonly kind: "endedMeanwhile"; readonly ok: boolean; readonly reason: string }
  /** The stream to the coordinator broke, or the coordinator ended it. */
  | { readonly kind: "streamLost"; readonly error: IsobatchError }
  /** The attachment is closed completely. */
  | { readonly kind: "detached" }
  /** After `closeStream`, the server has ended the stream, or its time for that is over. */
  | { readonly kind: "streamClosed" }
  /** This worker can't continue. `reported`: what is reported to the server before it ends. */
  | { readonly kind: "failed"; readonly error: unknown; readonly reported?: FailureReport }
  /** A user's requests: to finish what is being computed and leave; to end at once. */
  | { readonly kind: "leave"; readonly reason: string }
  | { readonly kind: "stop" }
  /** The coordinator's commands. */
  | { readonly kind: "termOpened"; readonly term: number; readonly version: number }
  | { readonly kind: "lease"; readonly lease: StepLease }
  | { readonly kind: "evaluation"; readonly lease: EvaluationLease }
  | { readonly kind: "drain"; readonly reason: string }
  | { readonly kind: "runEnded"; readonly ok: boolean; readonly reason: string }
  /** A complete chunk has arrived and waits to be taken or skipped; until then the shard's next chunk is not read. */
  | {
      readonly kind: "chunk";
      readonly shard: number;
      readonly chunk: number;
      readonly term: number;
      readonly version: number;
    }
  /**
   * A shard that writes into θ itself reports that all of its chunks are of this version, as of its change `sequence`.
   */
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
      /** Whether the shard's part of θ was lost with it. */
      readonly gone?: boolean;
    }
  /** The threads have copied θ. `moved`: shards whose part of θ changed meanwhile, so that the copy has no version. */
  | { readonly kind: "loaded"; readonly moved?: readonly number[] }
  /** A thread died while θ was copied; new threads are ready. */
  | { readonly kind: "loadFailed"; readonly reason: string }
  | {
      readonly kind: "computed";
      readonly work: number;
      /** The slots that hold the lease's nodes. */
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
      readonly failure: FailureReport;
      /** The micro-batch whose loss, gradient or sum is NaN or infinite, if that is the failure. */
      readonly nonFinite?: number;
      /** The threads that computed it died; new ones are ready, and hold no weights. */
      readonly threadsDied?: boolean;
      /** The error itself, if its stack should be logged. */
      readonly cause?: unknown;
    }
  /** The shard has taken its part of the lease, or dropped it. `lent`: it still reads the slots. */
  | { readonly kind: "pushed"; readonly work: number; readonly shard: number; readonly lent: boolean }
  | {
      readonly kind: "pushFailed";
      readonly work: number;
      readonly shard: number;
      readonly failure: FailureReport;
      /** The connection broke: the push may be repeated, because a shard drops what it already has. */
      readonly broken: boolean;
      /** Whether the shard may still read the slots. */
      readonly lent: boolean;
    };

/** What the shell must do, in this order. Everything that takes time ends with an event. */
export type WorkerEffect =
  /**
   * Reach the server and join, after `afterMs`; a server that does not answer is waited for until `untilMs`, on the
   * clock of `nowMs`. `attached`, `attachFailed` or `endedMeanwhile` follows.
   */
  | { readonly kind: "attach"; readonly afterMs: number; readonly untilMs: number }
  /** Stop waiting for a server that is away; the pending `attach` fails. */
  | { readonly kind: "cancelAttach" }
  /** Close every stream; `detached` follows when nothing is computed, pushed or loaded any more. */
  | { readonly kind: "detach" }
  /** Send nothing more, and let the server end the stream; `streamClosed` follows. */
  | { readonly kind: "closeStream" }
  /** Close everything: the worker has ended in this way. */
  | { readonly kind: "end"; readonly ending: Ending }
  | { readonly kind: "report"; readonly report: WorkerReport }
  /** Open the shard's stream of weights after `afterMs`; `weightsStreamEnded` follows when it ends. */
  | { readonly kind: "watch"; readonly shard: number; readonly term: number; readonly afterMs: number }
  /** Copy the chunk that arrived into θ and continue reading. */
  | { readonly kind: "takeChunk"; readonly shard: number }
  /** Continue reading without it. */
  | { readonly kind: "skipChunk"; readonly shard: number }
  /**
   * Have all threads copy θ, which must not change until `loaded` or `loadFailed`. `sequences`: the sequences of the
   * shards that write into θ themselves; a shard that has a different one before or after the copying has moved.
   */
  | { readonly kind: "load"; readonly weights: WeightsVersion; readonly sequences: ReadonlyMap<number, number> }
  /** Start fetching samples that are neither cached nor being fetched. */
  | {
      readonly kind: "prefetch";
      readonly batches: "microBatch" | "evaluation";
      readonly first: number;
      readonly end: number;
    }
  /**
   * The same for micro-batches [first, first + count) of the next step, and for those of later steps that are worth
   * fetching: `every` further on, and so on, up to the end of the run.
   */
  | {
      readonly kind: "prefetchSteps";
      readonly first: number;
      readonly count: number;
      readonly every: number;
      readonly end: number;
    }
  /** The lease is likely to be computed next: its first samples can be prepared while its weights arrive. */
  | { readonly kind: "prepare"; readonly work: StepWork }
  /**
   * Compute with the weights of the last `load`, which need not have finished; `computed`, `evaluated` or `workFailed`
   * follows.
   */
  | { readonly kind: "compute"; readonly work: Work }
  /** The result of what is being computed is not needed; its end follows all the same. */
  | { readonly kind: "abandon"; readonly work: number }
  /** Push a computed lease to a shard after `afterMs`; `pushed` or `pushFailed` follows. */
  | {
      readonly kind: "push";
      readonly work: StepWork;
      readonly shard: number;
      readonly afterMs: number;
      /** Whether the shard may keep reading the slots after its answer. */
      readonly lend: boolean;
    }
  /** These sums are not needed; the ends of their pushes follow all the same. */
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
  /** Its threads are new and hold no weights. */
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
    } & FailureReport)
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
    } & FailureReport)
  | { readonly kind: "leaving"; readonly reason: string }
  | ({ readonly kind: "failed" } & FailureReport);

/** How a worker ended: well, or with the reason why it could not continue. */
export type Ending = WorkerOutcome | { readonly error: unknown };

export interface WorkerOutcome {
  readonly reason: "run ended" | "left" | "sent away" | "stopped";
  /** Whether all is well: false for a run that failed, and for a worker that the server has sent away. */
  readonly ok: boolean;
  readonly message?: string;
}
