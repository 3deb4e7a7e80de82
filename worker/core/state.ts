import type { Attachment, Ending, StepWork, WeightsVersion, Work, WorkerEffect, WorkerReport } from "./messages.js";
import type { WeightVersions } from "./versions.js";

export interface WorkerCoreOptions {
  /** How long the worker tries to reach the server at first. */
  readonly connectWaitMs: number;
  /** How long the worker waits for a server that was lost. */
  readonly reconnectWaitMs: number;
}

export interface WorkerState {
  /**
   * `away`: not attached, joining; `leaving`: takes no more work and finishes what it computes; `closing`: has sent
   * everything, and the server ends the stream; `detaching`: the work of a lost stream is coming to its end.
   */
  phase: "away" | "attached" | "leaving" | "closing" | "detaching" | "ended";
  /** The newest weights known of, version −1 at the start of a term: work for older ones is void. */
  newest: WeightsVersion;
  /** The weights that all threads hold: their own copy, which later changes of θ do not affect. */
  held: WeightsVersion | undefined;
  /** The weights that the threads are copying: θ must not change. */
  loading: WeightsVersion | undefined;
  /** The work that was given and has not started. */
  queue: Work[];
  /** What is being computed, one work at a time. `abandoned`: its result is no longer needed. */
  computing: { readonly work: Work; abandoned: boolean } | undefined;
  /** By the id of the work: computed leases that not every shard has answered yet. */
  readonly pushes: Map<number, LeasePush>;
  /** Slots that shards read although they have answered the push. */
  readonly loans: Set<Loan>;
}

export interface LeasePush {
  readonly work: StepWork;
  readonly slots: readonly number[];
  readonly startedAtMs: number;
  readonly lend: boolean;
  /** Shards without a final answer, and how often each push broke. */
  readonly failures: Map<number, number>;
  readonly lentTo: Set<number>;
  cancelled: boolean;
  /** Why the first shard that refused did not take its part. */
  failure: { readonly reason: string; readonly transient: boolean } | undefined;
}

/** The slots of a lease that these shards may read until they are past its step. */
export interface Loan {
  readonly work: StepWork;
  readonly slots: readonly number[];
  readonly shards: Set<number>;
}

/** All that the core remembers; `state` is the part that others may see. */
export interface Worker {
  readonly options: WorkerCoreOptions;
  readonly state: WorkerState;
  nowMs: number;
  effects: WorkerEffect[];
  attachment: Attachment | undefined;
  versions: WeightVersions | undefined;
  nextWork: number;
  /** Why the worker leaves, once it has to. */
  leaving: { readonly reason: string; readonly sentAway: boolean } | undefined;
  /** How the worker will have ended once the stream is closed. */
  ending: Ending | undefined;
  attachedAtMs: number;
  /** Whether the server has sent anything over this stream. */
  spoken: boolean;
  /** The number of bad streams lost in a row, and when the first was lost. */
  losses: number;
  lostAtMs: number | undefined;
  /** How much longer the worker could wait for the server when the stream was lost. */
  reconnectMs: number;
  attachUntilMs: number;
  attachFailures: number;
  /** The last answer with which the server postponed this worker. */
  answer: { readonly error: unknown } | undefined;
  /** Chunks that arrived while θ must not change, by shard; their streams wait. */
  readonly heldBack: Map<number, { readonly chunk: number } & WeightsVersion>;
  /** For shards that write into θ themselves: the change after which their chunks are of one version. */
  readonly sequences: Map<number, number>;
  /** How often θ was loaded, and the state of each shard's stream of weights. */
  loads: number;
  watches: { failures: number; loadsBefore: number }[];
}

export function createWorker(options: WorkerCoreOptions): Worker {
  return {
    options,
    state: {
      phase: "away",
      newest: NOTHING,
      held: undefined,
      loading: undefined,
      queue: [],
      computing: undefined,
      pushes: new Map(),
      loans: new Set(),
    },
    nowMs: 0,
    effects: [],
    attachment: undefined,
    versions: undefined,
    nextWork: 1,
    leaving: undefined,
    ending: undefined,
    attachedAtMs: 0,
    spoken: false,
    losses: 0,
    lostAtMs: undefined,
    reconnectMs: 0,
    attachUntilMs: 0,
    attachFailures: 0,
    answer: undefined,
    heldBack: new Map(),
    sequences: new Map(),
    loads: 0,
    watches: [],
  };
}

/** A version older than any weights. */
export const NOTHING: WeightsVersion = { term: 0, version: -1 };

/** Whether the stream is open, so that weights and work are of use. */
export function isAttached({ state: { phase } }: Worker): boolean {
  return phase === "attached" || phase === "leaving";
}

export function emit(worker: Worker, effect: WorkerEffect): void {
  worker.effects.push(effect);
}

export function report(worker: Worker, message: WorkerReport): void {
  if (isAttached(worker)) emit(worker, { kind: "report", report: message });
}

export function note(
  worker: Worker,
  level: "debug" | "info" | "warn",
  message: string,
  fields?: Readonly<Record<string, number>>,
  cause?: unknown,
): void {
  emit(worker, { kind: "note", level, message, fields, cause });
}

/** The worker has ended: nothing is decided any more. */
export function end(worker: Worker, ending: Ending): void {
  worker.state.phase = "ended";
  emit(worker, { kind: "end", ending });
}

/** Leaves once all that was computed has been pushed, if the worker has to leave. */
export function leaveIfDone(worker: Worker): void {
  const { phase, computing, pushes } = worker.state;
  if (phase !== "leaving" || computing !== undefined || pushes.size > 0) return;
  const { reason, sentAway } = worker.leaving!;
  closeStream(worker, { reason: sentAway ? "sent away" : "left", ok: !sentAway, message: reason });
}

/** The result of what is being computed is no longer needed. */
export function abandon(worker: Worker): void {
  const { computing } = worker.state;
  if (computing === undefined || computing.abandoned) return;
  computing.abandoned = true;
  emit(worker, { kind: "abandon", work: computing.work.id });
}

/** Ends the stream from this side; once the server has had time to end it too, the worker has ended in this way. */
export function closeStream(worker: Worker, ending: Ending): void {
  worker.state.phase = "closing";
  worker.state.queue = [];
  worker.ending = ending;
  abandon(worker);
  emit(worker, { kind: "closeStream" });
}
