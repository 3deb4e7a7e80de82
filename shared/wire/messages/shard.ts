import type { Pass, Role } from "../../credentials/index.js";
import type { Coefficients } from "../../optimizer/index.js";
import type { CheckpointMark, MergedChunks, StepPlan } from "../../steps/index.js";
import type * as generated from "../generated/index.js";
import { asInput, type MessageForm } from "./form.js";
import { type OneOf, oneOf } from "./one-of.js";

/** The messages between a shard and the coordinator. The .proto documents the fields. */

interface ShardReports {
  hello: { readonly index: number; readonly version: string };
  ready: { readonly address: string; readonly checkpoints: readonly number[] };
  restored: { readonly term: number; readonly mark: CheckpointMark };
  restoreFailed: { readonly term: number; readonly step: number; readonly reason: string };
  covered: { readonly term: number; readonly step: number; readonly lo: number; readonly hi: number };
  superseded: { readonly term: number; readonly step: number };
  committed: CommittedMessage;
  /** The error is empty if the checkpoint has been written. */
  checkpointed: { readonly step: number; readonly error: string };
  failed: { readonly diverged: boolean; readonly reason: string };
  traffic: ShardTrafficMessage;
}

export type ShardReportMessage = OneOf<ShardReports>;

export interface CommittedMessage {
  readonly term: number;
  /** The step applied; the slice is now of version step + 1. */
  readonly step: number;
  readonly ledger: readonly MergedChunks[];
  readonly losses: readonly number[];
  readonly squaredNorms1: readonly number[];
  readonly sums2: readonly number[];
  readonly mergeMs: number;
  readonly applyMs: number;
  readonly bytesReceived: number;
}

export interface ShardTrafficMessage {
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly rejected: readonly { readonly reason: string; readonly pushes: number }[];
}

interface ShardCommands {
  welcome: ShardWelcome;
  restore: { readonly term: number; readonly step: number };
  plan: StepPlan;
  checkpoint: { readonly term: number; readonly mark: CheckpointMark };
  keep: { readonly steps: readonly number[] };
  stop: { readonly reason: string };
  /** Every token that was made, as hashes. */
  passes: readonly Pass[];
}

export type ShardCommand = OneOf<ShardCommands>;

export interface ShardWelcome {
  readonly runId: string;
  readonly leaseKey: Uint8Array;
  readonly layoutJson: string;
  readonly firstChunk: number;
  readonly endChunk: number;
  readonly taskHash: string;
  readonly passes: readonly Pass[];
  readonly wire: string;
}

export const shardReport: MessageForm<ShardReportMessage, generated.ShardReport, generated.ShardReport__Output> = {
  encode: ({ restored, ...others }) =>
    restored === undefined ? asInput<generated.ShardReport>(others) : { restored: encodeMark(restored) },
  decode: ({ report, restored, ...others }) =>
    oneOf<ShardReports>(report, { ...others, restored: restored && decodeMark(restored) }),
};

export const shardCommand: MessageForm<ShardCommand, generated.ShardCommand, generated.ShardCommand__Output> = {
  encode({ welcome, plan, checkpoint, passes, ...others }) {
    if (welcome !== undefined) return { welcome: { ...welcome, passes: encodePasses(welcome.passes) } };
    if (plan !== undefined) return { plan: encodePlan(plan) };
    if (checkpoint !== undefined) return { checkpoint: encodeMark(checkpoint) };
    if (passes !== undefined) return { passes: encodePasses(passes) };
    return asInput<generated.ShardCommand>(others);
  },
  decode: ({ command, welcome, plan, checkpoint, passes, ...others }) =>
    oneOf<ShardCommands>(command, {
      ...others,
      welcome: welcome && { ...welcome, passes: decodePasses(welcome.passes) },
      plan: plan && decodePlan(plan),
      checkpoint: checkpoint && decodeMark(checkpoint),
      passes: passes && decodePasses(passes),
    }),
};

const encodeMark = ({ term, mark }: { term: number; mark: CheckpointMark }): generated.Restored => ({ term, ...mark });

function decodeMark({ term, noise, ...mark }: generated.Restored__Output | generated.WriteCheckpoint__Output) {
  return { term, mark: noise === null ? mark : { ...mark, noise } };
}

/** Copies typed arrays, which protobuf.js does not accept. */
function encodePlan({ leafCoefficients1 = NONE, leafCoefficients2 = NONE, ...plan }: StepPlan): generated.StepPlan {
  return { ...plan, leafCoefficients1: [...leafCoefficients1], leafCoefficients2: [...leafCoefficients2] };
}

function decodePlan({
  coefficients,
  leafCoefficients1,
  leafCoefficients2,
  ...plan
}: generated.StepPlan__Output): StepPlan {
  return {
    ...plan,
    coefficients: coefficients ?? NO_COEFFICIENTS,
    leafCoefficients1: leafCoefficients1.length === 0 ? undefined : Float32Array.from(leafCoefficients1),
    leafCoefficients2: leafCoefficients2.length === 0 ? undefined : Float32Array.from(leafCoefficients2),
  };
}

function encodePasses(passes: readonly Pass[]): generated.Passes {
  return { passes: [...passes] };
}

function decodePasses(message: generated.Passes__Output | null): Pass[] {
  return (message?.passes ?? []).map(({ name, role, hash, expiresMs, revokedMs }) => ({
    name,
    role: role as Role,
    hash,
    expiresMs: expiresMs === 0 ? undefined : expiresMs,
    revokedMs: revokedMs === 0 ? undefined : revokedMs,
  }));
}

const NONE = new Float32Array(0);
/** The coefficients of a plan in which they are missing: protobuf's defaults. */
const NO_COEFFICIENTS: Coefficients = {
  mKeep: 0,
  mAdd: 0,
  vKeep: 0,
  vAdd: 0,
  squareOfSum: false,
  stepSize: 0,
  vScale: 0,
  epsilon: 0,
  decay: 0,
  c1: 0,
  c2: 0,
};
