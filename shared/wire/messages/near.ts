import type * as generated from "../generated/index.js";
import { asInput, type MessageForm } from "./form.js";
import { type OneOf, oneOf } from "./one-of.js";
import type { PushLease } from "./push.js";

/** The messages between a worker and a shard on the same machine. The .proto documents the fields. */

interface NearRequests {
  hello: NearHello;
  slots: { readonly slots: number };
  push: NearPush;
}

export type NearRequest = OneOf<NearRequests>;

export interface NearHello {
  readonly workerId: string;
  readonly seal: Uint8Array;
  readonly proof: Uint8Array;
  readonly memory: string;
}

export interface NearPush {
  /** Undefined only from a program that is not an Isobatch worker. */
  readonly lease?: PushLease;
  readonly lend: boolean;
  readonly nodes: readonly NearNode[];
}

/** The sums of node [lo, hi) are in this slot. */
export interface NearNode {
  readonly lo: number;
  readonly hi: number;
  readonly slot: number;
}

interface NearEvents {
  invitation: { readonly memory: string };
  welcome: object;
  weights: NearVersion;
  answer: NearAnswer;
}

export type NearEvent = OneOf<NearEvents>;

/** All of the shard's chunks are of this version, as long as the sequence in its folder has this number. */
export interface NearVersion {
  readonly term: number;
  readonly version: number;
  readonly sequence: number;
}

export interface NearAnswer {
  readonly lease: number;
  readonly accepted: number;
  readonly dropped: number;
  readonly lent: boolean;
  /** Why the push was refused; empty if it was not. */
  readonly refused: string;
}

export const nearRequest: MessageForm<NearRequest, generated.NearRequest, generated.NearRequest__Output> = {
  encode: asInput<generated.NearRequest>,
  decode: ({ request, push, ...others }) =>
    oneOf<NearRequests>(request, { ...others, push: push && { ...push, lease: push.lease ?? undefined } }),
};

export const nearEvent: MessageForm<NearEvent, generated.NearEvent, generated.NearEvent__Output> = {
  encode: asInput<generated.NearEvent>,
  decode: ({ event, ...fields }) => oneOf<NearEvents>(event, fields),
};
