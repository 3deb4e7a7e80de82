import { NO_NOISE, type SmoothedNoise } from "../../../shared/optimizer/index.js";
import type { CheckpointMark, KappaFact, KappaRule, StepCoefficients, StepPlan } from "../../../shared/steps/index.js";
import type { LeaseBoard } from "./board.js";
import type { SharedFailure } from "./failures.js";
import type { CoordinatorEffect, RunOutcome, ShardScalars } from "./messages.js";
import type { LeaseTimes } from "./phases.js";
import type { WorkerRecord } from "./workers.js";

export interface CoordinatorCoreOptions {
  readonly shards: number;
  /** The last term that was made durable; 0 for a new run. */
  readonly term: number;
  readonly microBatchesPerStep: KappaRule;
  /** b, in samples. */
  readonly microBatchSize: number;
  /** The durable facts of how κ has changed so far; empty for a new run, and if κ is a number. */
  readonly kappaRecord: readonly KappaFact[];
  /** Whether κ follows the record to the end, regardless of the workers and the noise. */
  readonly replay: boolean;
  /** Steps that an earlier process is known to have committed; 0 for a new run. */
  readonly stepsBefore: number;
  /** Length of the run; the last step may have fewer than κ. */
  readonly microBatchesTotal: number;
  /** Intervals in micro-batches, taken at the first boundary reached. Infinity: never. */
  readonly checkpointEvery: number;
  readonly evaluateEvery: number;
  /** 0: there is no test part. */
  readonly evaluationBatches: number;
  readonly checkpointsKept: number;
  /** The first step waits for this many workers, but no longer than `awaitMs` after the first is ready. */
  readonly workersAwaited: number;
  readonly awaitMs: number;
  /** Pure: the step's arithmetic at c1, c2. */
  coefficients(step: { firstMicroBatch: number; microBatches: number; c1: number; c2: number }): StepCoefficients;
  leafCoefficients?(microBatches: number): { w1: Float32Array; w2: Float32Array } | undefined;
}

export type Phase =
  /** Some shard is missing. */
  | "gathering"
  /** All are there; the term is being saved, then the checkpoint loaded. */
  | "restoring"
  /** At a boundary, waiting for something. */
  | "boundary"
  | "evaluating"
  | "stepping"
  | "ended";

export interface CoordinatorState {
  phase: Phase;
  term: number;
  /** The present boundary, or the one at which the open step started. */
  mark: CheckpointMark;
  plan: StepPlan | undefined;
  planCoefficients: StepCoefficients | undefined;
  board: LeaseBoard | undefined;
  /** κ of the open step, or of the newest one. */
  microBatches: number;
  /** How κ has changed: the durable facts, and those that are being saved. */
  readonly kappaRecord: KappaFact[];
  /** The smoothed noise after the steps up to `mark`. */
  noise: SmoothedNoise;
  readonly workers: Map<string, WorkerRecord>;
  readonly shards: ShardProgress[];
  outcome: RunOutcome | undefined;
  /** The errors that workers have met, by `reasonKey`; the newest last. */
  readonly failures: Map<string, SharedFailure>;
}

export interface ShardProgress {
  attached: boolean;
  /** Steps it has a whole checkpoint of. */
  checkpoints: Set<number>;
  restored: CheckpointMark | undefined;
  /** The leaves of the open step that it has covered: 1 where covered. */
  covered: Uint8Array;
  committed: ShardScalars | undefined;
}

/** Everything that the coordinator's decisions read and change. */
export interface CoordinatorRun {
  readonly options: CoordinatorCoreOptions;
  readonly state: CoordinatorState;
  /** The time of the present event. */
  nowMs: number;
  /** The effects of the present event so far. */
  effects: CoordinatorEffect[];
  nextLease: number;
  /** The checkpoint being restored. */
  target: number;
  /** The newest durable term: no worker may receive a term before it is durable. */
  savedTerm: number;
  /** The furthest boundary since this process started: steps between a restored one and it are recomputed. */
  furthestStep: number;
  /** The number of steps that are recorded, or will be before a checkpoint includes them. */
  recordedSteps: number;
  evaluatedStep: number;
  /** The newest checkpoint ordered in this term. */
  orderedStep: number;
  writing: { readonly step: number; readonly waitingFor: Set<number> } | undefined;
  stopping: boolean;
  checkpointAsked: boolean;
  /** How many facts of the record are durable: no lease is granted under a fact that is not. */
  kappaSaved: number;
  /** Whether the boundary waits for workers, because κ depends on them. */
  undecided: boolean;
  /** Live workers when κ last changed. */
  workersAtChange: ReadonlySet<string>;
  /** The newest step whose change of κ was announced. */
  kappaAnnounced: number;
  /** n at the boundary before `mark`. */
  previousBoundary: number;
  /** Whether the wait for the first workers is over. */
  started: boolean;
  /** When the first worker was ready; NaN before. */
  firstReadyMs: number;
  /**
   * Whether a shard has updated chunks in the open step: only workers that hold its version already can compute for it.
   */
  superseded: boolean;
  /** Since when no worker holds the version; NaN if one does, or the version is still available. */
  strandedSinceMs: number;
  stepOpenedMs: number;
  /** The lease of the open step that was computed last. */
  lastComputed: LeaseTimes | undefined;
  /** One per batch of the open evaluation. */
  evaluations: ({ readonly lossSum: number; readonly correct: number } | undefined)[];
  /** How often each micro-batch n was not finite. */
  readonly nonFinite: Map<number, number>;
}

export function createRun(options: CoordinatorCoreOptions): CoordinatorRun {
  const mark = { step: 0, microBatches: 0, c1: 0, c2: 0 };
  const { microBatchesPerStep: rule, kappaRecord, replay, stepsBefore } = options;
  const newest = kappaRecord.at(-1);
  const shards = Array.from({ length: options.shards }, () => ({
    attached: false,
    checkpoints: new Set<number>(),
    restored: undefined,
    covered: new Uint8Array(0),
    committed: undefined,
  }));
  return {
    options,
    state: {
      phase: "gathering",
      term: options.term,
      mark,
      plan: undefined,
      planCoefficients: undefined,
      board: undefined,
      microBatches: newest?.microBatches ?? (typeof rule === "number" ? rule : rule.min),
      kappaRecord: [...kappaRecord],
      noise: NO_NOISE,
      workers: new Map(),
      shards,
      outcome: undefined,
      failures: new Map(),
    },
    nowMs: 0,
    effects: [],
    nextLease: 1,
    target: -1,
    savedTerm: -1,
    furthestStep: -1,
    recordedSteps: stepsBefore,
    evaluatedStep: -1,
    orderedStep: -1,
    writing: undefined,
    stopping: false,
    checkpointAsked: false,
    kappaSaved: kappaRecord.length,
    undecided: false,
    workersAtChange: new Set(),
    kappaAnnounced: replay ? stepsBefore - 1 : (newest?.step ?? -1),
    previousBoundary: 0,
    started: false,
    firstReadyMs: Number.NaN,
    superseded: false,
    strandedSinceMs: Number.NaN,
    stepOpenedMs: 0,
    lastComputed: undefined,
    evaluations: [],
    nonFinite: new Map(),
  };
}

export function emit(run: CoordinatorRun, effect: CoordinatorEffect): void {
  run.effects.push(effect);
}

export function note(run: CoordinatorRun, level: "info" | "warn", message: string): void {
  emit(run, { kind: "note", level, message });
}

/** Ends the run: nothing is decided after this. */
export function end(run: CoordinatorRun, outcome: RunOutcome): void {
  if (run.state.phase === "ended") return;
  run.state.phase = "ended";
  run.state.board = undefined;
  run.state.outcome = outcome;
  emit(run, { kind: "ended", outcome });
}
