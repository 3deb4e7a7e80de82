import { IsobatchError } from "../../shared/errors.js";
import type { CoreRejection } from "./core/index.js";

/**
 * What has gone through a shard since its process began, for metrics. Only payloads are counted; headers and what the
 * network repeats are not.
 */
export interface ShardTraffic {
  /** Of pushed sums. */
  readonly bytesReceived: number;
  /** Of weights. */
  readonly bytesSent: number;
  /** Pushes by why they were refused. */
  readonly rejected: ReadonlyMap<string, number>;
}

/**
 * Why a push is refused, in a word. Beside the core's: no lease of this run; a chunk outside its lease; a wrong number
 * of bytes or a wrong checksum; sums that are not finite; messages in no order; a shard that has failed itself.
 */
export type Rejection =
  | CoreRejection
  | "lease"
  | "outside_lease"
  | "length"
  | "checksum"
  | "not_finite"
  | "malformed"
  | "shard_failed";

/** @returns the error with which a push is refused for this reason; see `rejectionOf`. */
export function rejection(reason: Rejection, sentence: string): IsobatchError {
  const code = reason === "not_finite" ? "damaged" : reason === "malformed" ? "invalid_input" : "refused";
  return new IsobatchError(code, sentence, { cause: { rejection: reason } satisfies Cause });
}

interface Cause {
  readonly rejection: Rejection;
}

/** Why the push that ended with `error` was refused; undefined if it was not: its worker has gone, for one. */
export function rejectionOf(error: unknown): Rejection | undefined {
  if (!(error instanceof IsobatchError)) return undefined;
  const { cause } = error;
  if (typeof cause === "object" && cause !== null && "rejection" in cause) return (cause as Cause).rejection;
  if (error.code === "damaged") return "checksum";
  return error.code === "invalid_input" ? "malformed" : undefined;
}

export interface TrafficCounters extends ShardTraffic {
  received(bytes: number): void;
  sent(bytes: number): void;
  ended(error: unknown): void;
}

export function createTraffic(): TrafficCounters {
  let [bytesReceived, bytesSent] = [0, 0];
  const rejected = new Map<Rejection, number>();
  return {
    get bytesReceived() {
      return bytesReceived;
    },
    get bytesSent() {
      return bytesSent;
    },
    rejected,
    received(bytes) {
      bytesReceived += bytes;
    },
    sent(bytes) {
      bytesSent += bytes;
    },
    ended(error) {
      const reason = rejectionOf(error);
      if (reason !== undefined) rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
    },
  };
}
