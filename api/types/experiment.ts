import type { Logging } from "./log.js";
import type { Settings } from "./run.js";

/** What both experiments take. */
export interface ExperimentBase extends Logging {
  /** Where the results go. Default: `runs/invariance-NAME` or `runs/experiment-elastic`. */
  readonly out?: string;
  /** Ends the experiment at once; finished runs of `"invariance"` are kept. */
  readonly signal?: AbortSignal;
  /** Called with how far the experiment is. */
  readonly onProgress?: (progress: ExperimentProgress) => void;
  /** Settings that the command line takes from its environment. Default: none. */
  readonly settings?: Settings;
}

/** Does the batch size change the training? Each value that is left out is the preset's, or else the task's. */
export interface InvarianceOptions extends ExperimentBase {
  /** `"quick"`, `"standard"`, `"conv"`, `"gpt"`, `"paper-resnet18"`, `"paper-vit"` or `"paper-gpt"`. */
  readonly preset?: string;
  /** A built-in's name or a task file. */
  readonly task?: string;
  /** Optimizers with their rules. Default: all. */
  readonly arms?: readonly string[];
  /** κ, micro-batches per step, to compare with κ = 1. */
  readonly kappa?: readonly number[];
  /** Learning rates, as at κ = 1. */
  readonly lr?: readonly number[];
  /** Default: 0, 1 and 2. */
  readonly seeds?: readonly number[];
  /** The length of a run. */
  readonly microBatches?: number;
  /** In micro-batches, a multiple of every κ. */
  readonly evaluateEvery?: number;
  readonly evaluationSamples?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly weightDecay?: number;
  readonly precision?: "float32" | "tf32" | "bfloat16";
  /** Runs at once. Default: one per core; on GPUs, one per GPU. */
  readonly processes?: number;
  readonly backend?: string;
}

/** May workers come and go? */
export interface ElasticOptions extends ExperimentBase {
  /** How many there are in each of as many parts of the run. Default: 1, 4, 2, 8. */
  readonly workers?: readonly number[];
  /** Default: `invariant-linear`, `sqrt` and `standard`. */
  readonly arms?: readonly string[];
  /** The length of a run. Default: 368,640. */
  readonly samples?: number;
  /** The learning rate, as at κ = 1. Default: 3e-4. */
  readonly lr?: number;
  /** Default: 0. */
  readonly seed?: number;
  /** Default: `"wasm"`. */
  readonly backend?: string;
}

/** How far an experiment is. */
export type ExperimentProgress = InvarianceStarted | RunsDone | ArmStarted | ExperimentNote;

/** `"invariance"` starts to train the runs that are missing. */
export interface InvarianceStarted {
  readonly type: "started";
  /** The experiment's name: the preset's, or the task's. */
  readonly name: string;
  /** The task's name. */
  readonly task: string;
  readonly arms: readonly string[];
  /** κ above 1. */
  readonly kappas: readonly number[];
  readonly learningRates: readonly number[];
  readonly seeds: readonly number[];
  readonly microBatchSize: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly runs: number;
  /** Runs that were done before. */
  readonly done: number;
  /** The length of a run. */
  readonly microBatches: number;
  /** Runs at once. */
  readonly processes: number;
  readonly backend: string;
  readonly out: string;
}

/** `"invariance"` has come this far. */
export interface RunsDone {
  readonly type: "progress";
  readonly runsDone: number;
  /** Trained since the start, of all runs together. */
  readonly microBatches: number;
}

/** `"elastic"` starts another optimizer. */
export interface ArmStarted {
  readonly type: "arm";
  readonly arm: string;
  readonly workers: readonly number[];
  readonly samples: number;
}

/** A line for people. */
export interface ExperimentNote {
  readonly type: "note";
  readonly message: string;
}

/** What came of the experiment `"invariance"`; the folder has all of it. */
export interface InvarianceOutcome {
  /** Whether all runs are done; false after the signal. */
  readonly complete: boolean;
  readonly runsDone: number;
  readonly runs: number;
  readonly out: string;
  /** Seconds of computing, all runs together. */
  readonly seconds: number;
  /** The report's file; undefined until all runs are done. */
  readonly report: string | undefined;
  /** How far losses part, by arm, κ and learning rate; `gap` is the largest |L_κ − L_1| / L_1, its mean over seeds; null where a run diverged. */
  readonly cells: readonly InvarianceCell[];
  /** How far two runs at κ = 1 part, by learning rate. */
  readonly floors: readonly InvarianceFloor[];
}

/** One arm at one κ and learning rate. */
export interface InvarianceCell {
  readonly arm: string;
  readonly kappa: number;
  readonly learningRate: number;
  readonly gap: number | null;
}

/** The smallest gap that means anything, at one learning rate. */
export interface InvarianceFloor {
  readonly learningRate: number;
  /** With another order of the samples; null where one diverged. */
  readonly order: number | null;
  /** Trained again; 0 where the bits repeat. */
  readonly repeat: number | null;
}

/** What came of the experiment `"elastic"`. */
export interface ElasticOutcome {
  readonly out: string;
  /** The figure's file. */
  readonly figure: string;
  readonly arms: readonly ElasticArm[];
}

/** One optimizer, elastic against one worker. */
export interface ElasticArm {
  readonly arm: string;
  /** The largest |L − L₁| / L₁ over all evaluations. */
  readonly gap: number;
  /** The same gap, with its sign. */
  readonly signed: number;
  /** The gap that another order of the samples makes. */
  readonly floor: number;
  /** Whether the gap is within twice the floor. */
  readonly coincides: boolean;
  /** Whether the record of κ, replayed in one process, left the same bits. */
  readonly sameBits: boolean;
}
