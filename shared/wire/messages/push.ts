import type * as generated from "../generated/index.js";
import { asInput, type MessageForm } from "./form.js";
import { type OneOf, oneOf } from "./one-of.js";

/** The messages between a worker and a shard over the network. The .proto documents the fields. */

interface PushMessages {
  lease: PushLease;
  chunk: SumsChunk;
}

/** The lease, then its chunks. */
export type PushMessage = OneOf<PushMessages>;

export interface PushLease {
  readonly workerId: string;
  readonly lease: number;
  readonly term: number;
  readonly step: number;
  readonly lo: number;
  readonly hi: number;
  readonly mac: Uint8Array;
  /** One per leaf of [lo, hi). */
  readonly losses: readonly number[];
  readonly seal: Uint8Array;
}

/** One chunk of the canonical node [lo, hi). */
export interface SumsChunk {
  readonly lo: number;
  readonly hi: number;
  readonly chunk: number;
  readonly sums: Uint8Array;
  /** Empty over TLS. */
  readonly checksum: Uint8Array;
}

export interface PushResult {
  /** Chunks that were accepted. */
  readonly accepted: number;
  /** Chunks whose leaves were covered already. */
  readonly dropped: number;
}

export interface WatchWeightsRequest {
  readonly workerId: string;
  readonly term: number;
  readonly seal: Uint8Array;
}

export interface WeightsChunk {
  readonly term: number;
  readonly version: number;
  readonly chunk: number;
  readonly weights: Uint8Array;
  /** Empty over TLS. */
  readonly checksum: Uint8Array;
}

/** For messages with a lease; chunks have their own codec (chunk-messages.ts) and skip this step. */
export const pushMessage: MessageForm<PushMessage, generated.PushMessage, generated.PushMessage__Output> = {
  encode: asInput<generated.PushMessage>,
  decode: ({ message, ...fields }) => oneOf<PushMessages>(message, fields),
};
