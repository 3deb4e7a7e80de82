import type { CheckpointMark, MergedChunks, StepPlan } from "../../../shared/steps/index.js";

/** A shard's inputs: the coordinator's commands, and the results of the shell's work. */
export type ShardEvent =
  | { readonly kind: "restore"; readonly term: number; readonly step: number }
  | { readonly kind: "restored"; readonly term: number; readonly mark: CheckpointMark }
  | { readonly kind: "restoreFailed"; readonly term: number; readonly step: number; readonly reason: string }
  | { readonly kind: "plan"; readonly plan: StepPlan }
  | { readonly kind: "checkpoint"; readonly term: number; readonly mark: CheckpointMark }
  | { readonly kind: "checkpointed"; readonly step: number; readonly error?: string }
  | { readonly kind: "detached" };

/** The node [lo, hi) of a step's tree, offered by a worker whose lease the shell has checked. */
export interface OfferedNode {
  readonly worker: string;
  readonly term: number;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
  /** One loss per leaf of [lo, hi). */
  readonly losses: ArrayLike<number>;
}

/** One chunk of an offered node. */
export interface OfferedChunk extends OfferedNode {
  readonly chunk: number;
}

/** The coefficients w1 and w2 of one leaf. */
export interface LeafCoefficientPair {
  readonly w1: number;
  readonly w2: number;
}

/**
 * The shell's work, to be performed in this order. Slots are numbers; the shell knows where their S1 and S2 are stored.
 */
export type ShardEffect =
  /**
   * Read the checkpoint into the slice; `restored` or `restoreFailed` follows. A newer `load` may follow before that:
   * from then on the older one must not touch the slice.
   */
  | { readonly kind: "load"; readonly term: number; readonly step: number }
  /** Put the offered sums into the slot; those of one leaf become w1·g and w2·(g·g). */
  | {
      readonly kind: "stage";
      readonly chunk: number;
      readonly slot: number;
      readonly leaf: LeafCoefficientPair | undefined;
    }
  /** Add the offered sums to the slot, which holds the sibling's. */
  | {
      readonly kind: "accumulate";
      readonly chunk: number;
      readonly slot: number;
      readonly leaf: LeafCoefficientPair | undefined;
    }
  /** Add slot `from` to slot `into`. */
  | { readonly kind: "merge"; readonly chunk: number; readonly into: number; readonly from: number }
  /** The slot holds the chunk's root: update the chunk with it. */
  | { readonly kind: "apply"; readonly chunk: number; readonly slot: number; readonly plan: StepPlan }
  /** Send the chunk, now of this version, to all watchers. */
  | { readonly kind: "publish"; readonly chunk: number; readonly term: number; readonly version: number }
  /** Copy the slice as it is now and write it in the background; `checkpointed` follows. */
  | { readonly kind: "snapshot"; readonly mark: CheckpointMark }
  | { readonly kind: "report"; readonly report: ShardReport };

/** A shard's reports to the coordinator. */
export type ShardReport =
  | { readonly kind: "restored"; readonly term: number; readonly mark: CheckpointMark }
  | { readonly kind: "restoreFailed"; readonly term: number; readonly step: number; readonly reason: string }
  | {
      readonly kind: "covered";
      readonly term: number;
      readonly step: number;
      readonly lo: number;
      readonly hi: number;
    }
  /** A chunk is updated while others are not: version `step` of the weights is no longer available here. */
  | { readonly kind: "superseded"; readonly term: number; readonly step: number }
  | {
      readonly kind: "committed";
      readonly term: number;
      readonly step: number;
      readonly ledger: readonly MergedChunks[];
      /** One per leaf, from the shard that holds the first chunk; else empty. */
      readonly losses: readonly number[];
    }
  | { readonly kind: "checkpointed"; readonly step: number; readonly error?: string };

/** The judgement of an offered chunk. */
export type ChunkVerdict =
  /** Its sums are wanted now: if they are valid, admit it. */
  | { readonly verdict: "accepted" }
  /** The leaves are covered already, or the step is committed: the same bits are included, and nothing is lost. */
  | { readonly verdict: "dropped" }
  /** Not yet: its plan has not arrived, or memory is short. Offer it again after the next event. */
  | { readonly verdict: "wait" }
  | { readonly verdict: "refused"; readonly rejection: CoreRejection; readonly reason: string };

/** Why a chunk is refused: its term is over, its step is not open, and so on. */
export type CoreRejection = "term" | "step" | "chunk" | "node" | "losses";
