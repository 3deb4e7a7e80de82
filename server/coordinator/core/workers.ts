import type { Candidate } from "./board.js";

/** A worker as the coordinator knows it. */
export interface WorkerRecord {
  readonly worker: string;
  /** The name of the machine that it runs on. */
  readonly machine: string;
  /** Whether it holds complete weights of this term, of any version; before that it gets no lease. */
  ready: boolean;
  /** The newest version that it has held in this term and not lost since; −1 if none. */
  version: number;
  /** When it reported that version. */
  heldMs: number;
  /** Whether it has held weights in any term. */
  proven: boolean;
  draining: boolean;
  /** It has sent nothing for too long: its leases are open to others until it reports again. */
  silent: boolean;
  lastSeenMs: number;
  /** The leases it is computing, according to its reports. */
  readonly running: Set<number>;
  /** Smoothed milliseconds per item: of computing, and from lease to done. */
  readonly itemMs: Record<StageKind, number | undefined>;
  readonly turnaroundMs: Record<StageKind, number | undefined>;
  given: number;
  failuresInARow: number;
}

export type StageKind = "step" | "evaluation";

/** The weight of a new measurement against earlier ones. */
const SMOOTHING = 0.3;

export function createWorkerState(worker: string, machine: string, nowMs: number): WorkerRecord {
  return {
    worker,
    machine,
    ready: false,
    version: -1,
    heldMs: Number.NEGATIVE_INFINITY,
    proven: false,
    draining: false,
    silent: false,
    lastSeenMs: nowMs,
    running: new Set(),
    itemMs: { step: undefined, evaluation: undefined },
    turnaroundMs: { step: undefined, evaluation: undefined },
    given: 0,
    failuresInARow: 0,
  };
}

/** Whether the worker may be given a lease now. */
export function isIdle(worker: WorkerRecord): boolean {
  return worker.ready && !worker.draining && !worker.silent && worker.running.size === 0;
}

/** A new term, or restarted threads: it no longer holds any weights. */
export function loseWeights(worker: WorkerRecord): void {
  worker.ready = false;
  worker.version = -1;
}

/** Whether the run can count on it: it has held weights, and it is neither silent nor leaving. */
export function isLive(worker: WorkerRecord): boolean {
  return worker.proven && !worker.draining && !worker.silent;
}

export function smooth(before: number | undefined, measured: number): number {
  return before === undefined ? measured : before + SMOOTHING * (measured - before);
}

export function candidateOf(worker: WorkerRecord, stage: StageKind): Candidate {
  return { worker: worker.worker, itemMs: worker.itemMs[stage], given: worker.given };
}
