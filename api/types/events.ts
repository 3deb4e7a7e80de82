/** What happens in a run, in order. */
export type RunEvent =
  | StartedEvent
  | StepEvent
  | EvaluationEvent
  | CheckpointEvent
  | WorkerJoinedEvent
  | WorkerLeftEvent
  | RestoredEvent
  | KappaEvent
  | ExtendedEvent
  | NoteEvent
  | WorkerProcessEvent
  | FailedEvent;

/** A server process has started on the run. */
export interface StartedEvent {
  readonly type: "started";
  /** ISO 8601, as in all events that have it. */
  readonly at: string;
  /** The version of Isobatch. */
  readonly version: string;
  /** The command line, if there was one. */
  readonly command?: string;
}

/** A step was committed. */
export interface StepEvent {
  readonly type: "step";
  /** Its number, from 0. */
  readonly step: number;
  /** Samples trained, this step's included. */
  readonly samples: number;
  /** The mean over the step's samples, before the update. */
  readonly loss: number;
  /** η′, after schedule and rule. */
  readonly learningRate: number;
  readonly gamma1: number;
  readonly gamma2: number;
  /** κ of the step. */
  readonly microBatches: number;
  /** Workers that contributed. */
  readonly workers: number;
  /** Averages over the steps so far; `scale` is in samples, null while it is not resolved. */
  readonly noiseScale: {
    readonly trace: number;
    readonly squaredGradient: number;
    readonly scale: number | null;
  } | null;
  /** Milliseconds by phase; `step` is the whole. */
  readonly ms: Readonly<Record<string, number>>;
}

/** The weights before step `step` were evaluated on the test part. */
export interface EvaluationEvent {
  readonly type: "evaluation";
  readonly step: number;
  /** Samples trained until then. */
  readonly samples: number;
  readonly loss: number;
  /** In [0, 1]; null where it has no meaning. */
  readonly accuracy: number | null;
}

/** The checkpoint of `step` is on disk. */
export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly at: string;
  readonly step: number;
}

/** The run is at a checkpoint: at its start, and after a rollback. */
export interface RestoredEvent {
  readonly type: "restored";
  readonly at: string;
  readonly term: number;
  readonly step: number;
  /** Steps that had been computed and will be computed again. */
  readonly recomputedSteps: number;
}

/** κ has changed. */
export interface KappaEvent {
  readonly type: "kappa";
  readonly at: string;
  readonly step: number;
  readonly samples: number;
  /** Null: the first. */
  readonly from: number | null;
  readonly kappa: number;
  readonly reason: string;
  readonly learningRate: number;
  readonly gamma1: number;
  readonly gamma2: number;
}

/** The run was made longer, and its schedule stretched. */
export interface ExtendedEvent {
  readonly type: "extended";
  readonly at: string;
  readonly samples: number;
  /** Where the schedule ended, in samples. */
  readonly from: number;
  /** Where it ends now. */
  readonly to: number;
  readonly learningRate: number;
  readonly learningRateBefore: number;
  readonly message: string;
}

/** A worker has joined. */
export interface WorkerJoinedEvent {
  readonly type: "workerJoined";
  readonly at: string;
  /** Its id. */
  readonly worker: string;
  readonly host: string;
  readonly device: string;
  readonly backend: string;
  readonly computeThreads: number;
}

/** A worker has left during the run. At most 1,000 arrivals and departures are recorded per process. */
export interface WorkerLeftEvent {
  readonly type: "workerLeft";
  readonly at: string;
  /** Its id. */
  readonly worker: string;
  readonly reason: string;
}

/** Something else worth knowing, such as a lease that was given to another worker. */
export interface NoteEvent {
  readonly type: "note";
  readonly at: string;
  readonly message: string;
}

/** A worker process of `train` has died; the message says why, and whether it is started again. Not in metrics.jsonl. */
export interface WorkerProcessEvent {
  readonly type: "workerProcess";
  readonly at: string;
  readonly message: string;
}

/** The run has failed. */
export interface FailedEvent {
  readonly type: "failed";
  readonly at: string;
  readonly code: string;
  readonly reason: string;
}
