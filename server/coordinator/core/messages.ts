import type { SmoothedNoise } from "../../../shared/optimizer/index.js";
import type {
  CheckpointMark,
  KappaFact,
  MergedChunks,
  StepCoefficients,
  StepPlan,
} from "../../../shared/steps/index.js";
import type { StepPhases } from "./phases.js";

/** The coordinator's inputs. The shell adds nothing: it passes on what it receives, with the monotonic time. */
export type CoordinatorEvent =
  | { readonly kind: "shardAttached"; readonly shard: number; readonly checkpoints: readonly number[] }
  | { readonly kind: "shardLost"; readonly shard: number; readonly reason: string }
  | { readonly kind: "termSaved"; readonly term: number }
  /** The first `facts` facts of κ's record are durable. */
  | { readonly kind: "kappaSaved"; readonly facts: number }
  | { readonly kind: "restored"; readonly shard: number; readonly term: number; readonly mark: CheckpointMark }
  | {
      readonly kind: "restoreFailed";
      readonly shard: number;
      readonly term: number;
      readonly step: number;
      readonly reason: string;
    }
  | {
      readonly kind: "covered";
      readonly shard: number;
      readonly term: number;
      readonly step: number;
      readonly lo: number;
      readonly hi: number;
    }
  /** Version `step` is no longer available from this shard, and step `step` has not committed there. */
  | { readonly kind: "superseded"; readonly shard: number; readonly term: number; readonly step: number }
  | {
      readonly kind: "committed";
      readonly shard: number;
      readonly term: number;
      readonly step: number;
      readonly scalars: ShardScalars;
    }
  | { readonly kind: "checkpointed"; readonly shard: number; readonly step: number; readonly error?: string }
  /** `machine`: the name of the machine that it runs on; by default a different one for each worker. */
  | { readonly kind: "workerAttached"; readonly worker: string; readonly machine?: string }
  | { readonly kind: "workerLost"; readonly worker: string; readonly reason: string }
  | { readonly kind: "heartbeat"; readonly worker: string }
  | { readonly kind: "weightsHeld"; readonly worker: string; readonly term: number; readonly version: number }
  /** Its threads were restarted and hold no weights. */
  | { readonly kind: "weightsLost"; readonly worker: string }
  | { readonly kind: "leaseComputed"; readonly worker: string; readonly lease: number; readonly computeMs: number }
  | {
      readonly kind: "leaseFailed";
      readonly worker: string;
      readonly lease: number;
      /** The n of the micro-batch that failed, if one did. */
      readonly microBatch: number | undefined;
      readonly nonFinite: boolean;
      readonly reason: string;
      /** Whether a connection caused it, so that it says nothing about the task. */
      readonly transient?: boolean;
    }
  | {
      readonly kind: "evaluated";
      readonly worker: string;
      readonly term: number;
      readonly version: number;
      readonly firstBatch: number;
      readonly lossSums: readonly number[];
      readonly correct: readonly number[];
    }
  | {
      readonly kind: "evaluationFailed";
      readonly worker: string;
      readonly version: number;
      readonly reason: string;
      readonly transient?: boolean;
    }
  /** The worker can no longer compute, or never could, and leaves. */
  | { readonly kind: "workerFailed"; readonly worker: string; readonly reason: string; readonly transient?: boolean }
  | { readonly kind: "workerLeaving"; readonly worker: string }
  | { readonly kind: "stop" }
  | { readonly kind: "checkpointNow" }
  | { readonly kind: "tick" };

/** The values that a shard reports with its commit. */
export interface ShardScalars {
  readonly ledger: readonly MergedChunks[];
  /** One per micro-batch of the step, from the shard that has them; else empty. */
  readonly losses: readonly number[];
  /** Per chunk of parameters of the shard, in order: |S1|² and ΣS2. */
  readonly squaredNorms1: readonly number[];
  readonly sums2: readonly number[];
  readonly mergeMs: number;
  readonly applyMs: number;
  readonly bytesReceived: number;
}

/** Leaves [lo, hi) of the open step, or batches [lo, hi) of the open evaluation, given to one worker. */
export interface GrantedLease {
  readonly lease: number;
  readonly worker: string;
  readonly lo: number;
  readonly hi: number;
  readonly grantedAtMs: number;
  /** From this time on its uncovered leaves may be given to an idle worker as well. */
  readonly overdueAtMs: number;
}

export interface CommittedStep {
  readonly term: number;
  readonly plan: StepPlan;
  readonly coefficients: StepCoefficients;
  /** In the order of the shards. */
  readonly scalars: readonly ShardScalars[];
  /** Smoothed over the steps so far, this one included. */
  readonly noise: SmoothedNoise;
  readonly ms: StepPhases;
}

/** The shell's work, to be performed in this order. */
export type CoordinatorEffect =
  /** Make the term durable, then send `termSaved`. */
  | { readonly kind: "saveTerm"; readonly term: number }
  /** Make the new facts durable, in order with the terms, then send `kappaSaved`. */
  | { readonly kind: "saveKappa"; readonly facts: readonly KappaFact[] }
  /** The step is the first at this κ; emitted once, when it is opened. */
  | {
      readonly kind: "kappaChanged";
      readonly fact: KappaFact;
      /** κ of the step before; undefined at the start of a run. */
      readonly before: number | undefined;
      readonly coefficients: StepCoefficients;
    }
  | { readonly kind: "restore"; readonly shard: number; readonly term: number; readonly step: number }
  | { readonly kind: "plan"; readonly shard: number; readonly plan: StepPlan }
  | { readonly kind: "checkpoint"; readonly shard: number; readonly term: number; readonly mark: CheckpointMark }
  /** Checkpoints of other steps may be deleted. */
  | { readonly kind: "keep"; readonly shard: number; readonly steps: readonly number[] }
  | { readonly kind: "termOpened"; readonly worker: string; readonly term: number; readonly version: number }
  | { readonly kind: "lease"; readonly lease: GrantedLease; readonly plan: StepPlan }
  | { readonly kind: "evaluate"; readonly lease: GrantedLease; readonly term: number; readonly version: number }
  /** Send the worker away, for this reason. */
  | { readonly kind: "drain"; readonly worker: string; readonly reason: string }
  /** The run has rolled back to the mark's step: records of later steps are void. */
  | { readonly kind: "rolledBack"; readonly term: number; readonly mark: CheckpointMark; readonly recomputed: number }
  | { readonly kind: "committed"; readonly commit: CommittedStep }
  | {
      readonly kind: "evaluation";
      readonly step: number;
      readonly microBatches: number;
      readonly lossSum: number;
      readonly correct: number;
    }
  /** All shards have it on disk. */
  | { readonly kind: "checkpointWritten"; readonly step: number }
  | { readonly kind: "note"; readonly level: "info" | "warn"; readonly message: string }
  | { readonly kind: "ended"; readonly outcome: RunOutcome };

export type RunOutcome =
  | { readonly ok: true; readonly reason: "complete" | "stopped"; readonly mark: CheckpointMark }
  | {
      readonly ok: false;
      readonly code: "diverged" | "damaged" | "exhausted";
      readonly reason: string;
      /** The n that failed twice, if the run diverged. */
      readonly microBatch?: number;
    }
  | {
      readonly ok: false;
      /** Every worker meets the same error. */
      readonly code: "failed";
      readonly reason: string;
      /** How often it occurred since the run last made progress, and on which workers. */
      readonly times: number;
      readonly workers: readonly string[];
    };
