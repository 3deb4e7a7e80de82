import type { Numerics } from "../../numerics.js";
import type * as generated from "../generated/index.js";
import { asInput, type MessageForm } from "./form.js";
import { type OneOf, oneOf } from "./one-of.js";

/** The messages between a worker and the coordinator. The .proto documents the fields. */

export interface JoinRequest {
  readonly version: string;
  /** Undefined only from a program that is not an Isobatch worker. */
  readonly numerics?: Numerics;
  readonly host: string;
  readonly processId: number;
  readonly computeThreads: number;
  readonly device: string;
  /** The run that it worked for before, or empty. */
  readonly runId: string;
}

/** The part of the answer that is the same for every worker. */
export interface RunDescription {
  readonly runId: string;
  readonly taskJson: string;
  readonly topologyJson: string;
  readonly layoutJson: string;
  readonly datasetFingerprint: string;
  readonly heartbeatMs: number;
  readonly evaluationBatches: number;
  readonly sampleFormJson: string;
}

/** Everything that a worker needs to compute. */
export interface JoinResponse extends RunDescription {
  readonly workerId: string;
  readonly shards: readonly ShardAddress[];
  readonly seal: Uint8Array;
  /** Set only for a worker that computed for this run and returns too late; then all other fields are empty. */
  readonly ended?: RunEnded;
}

export interface ShardAddress {
  readonly index: number;
  /** HOST:PORT; an empty host means the one at which the coordinator was reached. */
  readonly address: string;
  readonly firstChunk: number;
  readonly endChunk: number;
}

export interface RunEnded {
  readonly ok: boolean;
  readonly reason: string;
}

interface WorkerReports {
  heartbeat: object;
  weightsHeld: { readonly term: number; readonly version: number };
  leaseComputed: LeaseComputed;
  leaseFailed: LeaseFailed;
  evaluated: Evaluated;
  leaving: { readonly reason: string };
  attach: { readonly workerId: string };
  weightsLost: object;
  failed: { readonly reason: string; readonly transient: boolean };
  transport: { readonly name: string };
}

export type WorkerReportMessage = OneOf<WorkerReports>;

export interface LeaseComputed {
  readonly lease: number;
  readonly computeMs: number;
  readonly samplesMs: number;
}

export interface LeaseFailed {
  readonly lease: number;
  readonly microBatch: number;
  readonly reason: string;
  readonly nonFinite: boolean;
  readonly transient: boolean;
}

export interface Evaluated {
  readonly term: number;
  readonly version: number;
  readonly firstBatch: number;
  readonly lossSums: readonly number[];
  readonly correct: readonly number[];
  /** Why it could not be computed; empty if it was. */
  readonly failed: string;
  readonly transient: boolean;
}

interface WorkerCommands {
  lease: MicroBatchLease;
  evaluation: EvaluationBatches;
  term: { readonly term: number; readonly version: number };
  drain: { readonly reason: string };
  ended: RunEnded;
}

export type WorkerCommand = OneOf<WorkerCommands>;

export interface MicroBatchLease {
  readonly lease: number;
  readonly term: number;
  readonly step: number;
  readonly firstMicroBatch: number;
  readonly microBatches: number;
  readonly lo: number;
  readonly hi: number;
  /** The coefficients of leaves lo … hi − 1; empty if all are 1. */
  readonly leafCoefficients1: readonly number[];
  readonly leafCoefficients2: readonly number[];
  readonly mac: Uint8Array;
}

export interface EvaluationBatches {
  readonly term: number;
  readonly version: number;
  readonly firstBatch: number;
  readonly endBatch: number;
}

export interface FetchSamplesRequest {
  readonly workerId: string;
  readonly evaluation: boolean;
  readonly first: number;
  readonly count: number;
  readonly seal: Uint8Array;
  readonly every: number;
  readonly times: number;
}

/** A micro-batch, or a batch of the test part, as raw bytes. */
export interface SampleBatchMessage {
  readonly number: number;
  readonly samples: number;
  readonly inputs: Uint8Array;
  readonly labels: Uint8Array;
  readonly checksum: Uint8Array;
}

export const joinRequest: MessageForm<JoinRequest, generated.JoinRequest, generated.JoinRequest__Output> = {
  encode: asInput<generated.JoinRequest>,
  decode: ({ numerics, ...request }) => ({ ...request, numerics: numerics ?? undefined }),
};

export const joinResponse: MessageForm<JoinResponse, generated.JoinResponse, generated.JoinResponse__Output> = {
  encode: asInput<generated.JoinResponse>,
  decode: ({ ended, ...answer }) => ({ ...answer, ended: ended ?? undefined }),
};

export const workerReport: MessageForm<WorkerReportMessage, generated.WorkerReport, generated.WorkerReport__Output> = {
  encode: asInput<generated.WorkerReport>,
  decode: (message) => oneOf<WorkerReports>(message.report, message),
};

export const workerCommand: MessageForm<WorkerCommand, generated.WorkerCommand, generated.WorkerCommand__Output> = {
  encode: asInput<generated.WorkerCommand>,
  decode: (message) => oneOf<WorkerCommands>(message.command, message),
};
