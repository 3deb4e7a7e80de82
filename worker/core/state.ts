import type { Attachment, Ending, StepWork, WeightsVersion, Work, WorkerEffect, WorkerReport } from "./messages.js";
import type { WeightVersions } from "./versions.js";

export interface WorkerOptions {
  /** How long the server is tried to be reached at first. */
  readonly connectWaitMs: number;
  /** How long a server that was lost is waited for. */
  readonly reconnectWaitMs: number;
}

export interface WorkerState {
  /**
   * `away`: not attached, on its way; `leaving`: takes no more work and finishes what is computed; `farewell`: has said
   * all, and the server ends the stream; `detaching`: what the lost stream had under way comes to its end.
   */
  phase: "away" | "attached" | "leaving" | "farewell" | "detaching" | "ended";
  /** The newest weights heard of, version −1 at the start of a term: work for older ones is void. */
  newest: WeightsVersion;
  /** What all threads have, a copy of their own: they have it for good, whatever comes into θ. */
  held: WeightsVersion | undefined;
  /** What the threads are copying: θ stands still. */
  loading: WeightsVersion | undefined;
  /** Given and not begun. */
  queue: Work[];
  /** One at a time. `abandoned`: nobody waits for it any more. */
  computing: { readonly work: Work; abandoned: boolean } | undefined;
  /** By work: computed, and not yet answered by every shard. */
  readonly pushes: Map<number, Push>;
  /** Slots that shards read although the push has been answered. */
  readonly loans: Set<Loan>;
}

export interface Push {
  readonly work: StepWork;
  readonly slots: readonly number[];
  readonly startedAtMs: number;
  readonly lend: boolean;
  /** Shards that have not answered for good: how often each push broke. */
  readonly failures: Map<number, number>;
  readonly lentTo: Set<number>;
  cancelled: boolean;
  /** Why the first of the shards did not take its part. */
  failure: { readonly reason: string; readonly transient: boolean } | undefined;
}

/** Slots of a lease that these shards may read until they are past its step. */
export interface Loan {
  readonly work: StepWork;
  readonly slots: readonly number[];
  readonly shards: Set<number>;
}

/** All that the core remembers; `state` is what others may see of it. */
export interface Worker {
  readonly options: WorkerOptions;
  readonly state: WorkerState;
  nowMs: number;
  effects: WorkerEffect[];
  attachment: Attachment | undefined;
  versions: WeightVersions | undefined;
  nextWork: number;
  /** Why it leaves, once it is to. */
  leaving: { readonly reason: string; readonly sentAway: boolean } | undefined;
  /** How it will have ended when the farewell is over. */
  ending: Ending | undefined;
  attachedAtMs: number;
  /** Whether the server has spoken on this stream. */
  spoken: boolean;
  /** Streams lost in a row that were no good ones before, and when the first was. */
  losses: number;
  lostAtMs: number | undefined;
  /** How long the server was still to be waited for when the stream was lost. */
  reconnectMs: number;
  attachUntilMs: number;
  attachFailures: number;
  /** What the server answered last when it put this worker off. */
  answer: { readonly error: unknown } | undefined;
  /** Chunks that came while θ had to stand still, by shard; their streams wait. */
  readonly heldBack: Map<number, { readonly chunk: number } & WeightsVersion>;
  /** Of shards that write into θ by themselves: the change with which their chunks came to be of one version. */
  readonly sequences: Map<number, number>;
  /** How often θ was loaded, and by shard how its stream of weights fares. */
  loads: number;
  watches: { failures: number; loadsBefore: number }[];
}

export function createWorker(options: WorkerOptions): Worker {
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

/** Older than any weights. */
export const NOTHING: WeightsVersion = { term: 0, version: -1 };

/** Whether the server listens, and weights and work are of use. */
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

/** The worker's life is over: nothing is decided any more. */
export function end(worker: Worker, ending: Ending): void {
  worker.state.phase = "ended";
  emit(worker, { kind: "end", ending });
}

/** Goes once all that was computed has been pushed, if it is to go. */
export function leaveIfDone(worker: Worker): void {
  const { phase, computing, pushes } = worker.state;
  if (phase !== "leaving" || computing !== undefined || pushes.size > 0) return;
  const { reason, sentAway } = worker.leaving!;
  sayFarewell(worker, { reason: sentAway ? "sent away" : "left", ok: !sentAway, message: reason });
}

/** Nobody waits for what is computed. */
export function abandon(worker: Worker): void {
  const { computing } = worker.state;
  if (computing === undefined || computing.abandoned) return;
  computing.abandoned = true;
  emit(worker, { kind: "abandon", work: computing.work.id });
}

/** Ends the stream from this side; the worker will have ended so when the server has had its time for that. */
export function sayFarewell(worker: Worker, ending: Ending): void {
  worker.state.phase = "farewell";
  worker.state.queue = [];
  worker.ending = ending;
  abandon(worker);
  emit(worker, { kind: "farewell" });
}
