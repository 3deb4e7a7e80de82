import { IsobatchError } from "../../shared/errors.js";
import type { CoreRejection } from "./core/index.js";

/**
 * A shard's traffic since its process started, for metrics. Counts payload bytes only, without headers and
 * retransmissions.
 */
export interface ShardTraffic {
  /** The bytes of pushed sums. */
  readonly bytesReceived: number;
  /** The bytes of weights. */
  readonly bytesSent: number;
  /** The number of refused pushes, by reason. */
  readonly rejected: ReadonlyMap<string, number>;
}

/**
 * Why a push is refused, as a label. In addition to the core's reasons: no lease of this run; a chunk outside its
 * lease; a wrong number of bytes or a wrong checksum; sums that are not finite; messages out of order; a shard that has
 * failed.
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

/**
 * Why the push that ended with `error` was refused; undefined if it was not, for example because its worker has left.
 */
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
