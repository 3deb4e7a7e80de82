import type { ChartSizes, EvaluationRow, History, StepRow } from "../../charts/index.js";
import type { Happening } from "../../happenings/index.js";

/** What the dashboard's page receives while it is open, as JSON in server-sent events. Null: not known (yet). */

/** The event "snapshot": everything so far; it replaces what the page had. */
export interface Snapshot {
  readonly sizes: ChartSizes;
  readonly history: History;
  /** The newest last. */
  readonly happenings: readonly Happening[];
}

/** The event "updates": what has happened since, in order. */
export type Update =
  /** The names of the times that each following step has. */
  | readonly ["phases", readonly string[]]
  | readonly ["step", StepRow]
  | readonly ["evaluation", EvaluationRow]
  /** The run went back to the weights of this version. */
  | readonly ["back", number]
  | readonly ["happening", Happening];

/** The event "status", once a second. */
export interface LiveStatus {
  readonly phase: string;
  readonly term: number;
  readonly step: number;
  readonly steps: number;
  readonly samples: number;
  readonly samplesTotal: number;
  /** The samples of an epoch; 0: not known. */
  readonly trainingSamples: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  readonly microBatchesPerStep: number;
  readonly noiseScale: number | null;
  readonly learningRate: number | null;
  readonly workersAdvised: number | null;
  readonly advice: string;
  /** Why the run has failed; empty while it has not. */
  readonly failure: string;
  /** The last error of the workers, until something has been computed again; empty without one. */
  readonly workerFailure: string;
  readonly recomputedSteps: number;
  /** Micro-batches that had to be leased again. */
  readonly leasedAgain: number;
  readonly rejectedPushes: number;
  readonly checkpointAgeSeconds: number | null;
  /** The steps of the checkpoints from which the run can be resumed, ascending. */
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
  /** Micro-batches whose steps were committed. */
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
  /** The name of the token that this browser logged in with; null without a login. */
  readonly name: string | null;
  readonly mayAct: boolean;
  /** The command with which a worker joins; null for people who may not act. */
  readonly joinCommand: string | null;
}
