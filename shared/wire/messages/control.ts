import type * as generated from "../generated/index.js";
import { asInput, type MessageForm } from "./form.js";
import { type OneOf, oneOf } from "./one-of.js";

/** A person's requests to a server and their answers. The .proto documents the fields. */

interface ControlRequests {
  stop: object;
  checkpoint: object;
  drain: { readonly workerId: string };
  createToken: CreateToken;
  listTokens: object;
  revokeToken: { readonly name: string };
}

export type ControlRequest = OneOf<ControlRequests>;

export interface CreateToken {
  /** Empty: the role with a number. */
  readonly name: string;
  readonly role: string;
  /** 0: until it is revoked. */
  readonly lastsMs: number;
}

export interface ControlResponse {
  /** The effect, a sentence. */
  readonly message: string;
  /** The token that was made, and its name; shown only this once. */
  readonly name: string;
  readonly token: string;
  readonly tokens: readonly TokenInfo[];
}

/** Unix times in ms; 0: never. */
export interface TokenInfo {
  readonly name: string;
  readonly role: string;
  readonly createdMs: number;
  readonly lastUsedMs: number;
  readonly expiresMs: number;
  readonly revokedMs: number;
}

export const controlRequest: MessageForm<ControlRequest, generated.ControlRequest, generated.ControlRequest__Output> = {
  encode: asInput<generated.ControlRequest>,
  decode: ({ request, ...fields }) => oneOf<ControlRequests>(request, fields),
};
