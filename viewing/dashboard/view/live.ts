import type { EvaluationRow, History, StepRow } from "./history.js";

/** What the dashboard's page is told while it is open, as JSON in server-sent events. Null: not known (yet). */

/** The event "snapshot": all that has been, in place of whatever the page had. */
export interface Snapshot {
  readonly run: ShownRun;
  readonly history: History;
  /** The newest last. */
  readonly happenings: readonly Happening[];
}

export interface ShownRun {
  readonly runId: string;
  readonly task: string;
  /** In words. */
  readonly optimizer: string;
  readonly learningRate: number;
  readonly microBatchSize: number;
  /** Of Isobatch. */
  readonly version: string;
}

/** The event "updates": what came since, in order. */
export type Update =
  /** Names of the times that each step has from now on. */
  | readonly ["phases", readonly string[]]
  | readonly ["step", StepRow]
  | readonly ["evaluation", EvaluationRow]
  /** The run went back to the weights of this version. */
  | readonly ["back", number]
  | readonly ["happening", Happening];

/** Something worth a line: a checkpoint, a rollback, a warning. */
export interface Happening {
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
}

/** The event "status", once a second. */
export interface LiveStatus {
  readonly phase: string;
  readonly term: number;
  readonly step: number;
  readonly steps: number;
  readonly samples: number;
  readonly samplesTotal: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  readonly microBatchesPerStep: number;
  readonly noiseScale: number | null;
  readonly learningRate: number | null;
  readonly workersAdvised: number | null;
  readonly advice: string;
  /** Why the run has failed; empty: it has not. */
  readonly failure: string;
  /** What workers met last, while nothing has been computed since; empty: nothing. */
  readonly workerFailure: string;
  readonly recomputedSteps: number;
  /** Micro-batches leased once more. */
  readonly leasedAgain: number;
  readonly rejectedPushes: number;
  readonly checkpointAgeSeconds: number | null;
  /** Steps of those that can be resumed from, ascending. */
  readonly checkpoints: readonly number[];
  readonly workers: readonly LiveWorker[];
  readonly shards: readonly LiveShard[];
}

export interface LiveWorker {
  readonly id: string;
  readonly backend: string;
  readonly device: string;
  readonly computeThreads: number;
  readonly state: string;
  readonly microBatchesPerSecond: number;
  /** Committed. */
  readonly microBatches: number;
  readonly lastSeenSeconds: number;
}

export interface LiveShard {
  readonly index: number;
  readonly address: string;
  readonly state: string;
  readonly version: number;
  readonly chunks: number;
  readonly bytesReceived: number | null;
  readonly bytesSent: number | null;
}

/** GET /api/session. */
export interface SessionView {
  /** Of the token that this browser logged in with; null without a login. */
  readonly name: string | null;
  readonly mayAct: boolean;
  /** How a worker joins; only for those who may act. */
  readonly joinCommand: string | null;
}
