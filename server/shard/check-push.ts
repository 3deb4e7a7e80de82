import { verifyLeaseMac } from "../../shared/credentials/index.js";
import type { ChunkRange, Layout, WireFormat } from "../../shared/layout/index.js";
import { type PushMessage, verifyChecksum } from "../../shared/wire/index.js";
import { sumsBytes } from "./arithmetic/source.js";
import type { OfferedNode } from "./core/index.js";
import { type Rejection, rejection } from "./traffic.js";

/**
 * The checks of a push that do not depend on the run's state: whether the coordinator granted the lease, and whether a
 * chunk belongs to that lease and this shard and is complete. The rest is judged by the core.
 */
export interface PushedLease {
  readonly worker: string;
  /** The lease's number. */
  readonly lease: number;
  readonly term: number;
  readonly step: number;
  /** The leaves [lo, hi). */
  readonly lo: number;
  readonly hi: number;
  /** One per leaf. */
  readonly losses: readonly number[];
}

/** @throws {IsobatchError} `refused` unless the coordinator granted this lease to this worker in this run */
export function checkLease(
  { runId, leaseKey }: { readonly runId: string; readonly leaseKey: Uint8Array },
  push: NonNullable<PushMessage["lease"]>,
): PushedLease {
  const { workerId, lease, term, step, lo, hi, mac, losses } = push;
  if (!verifyLeaseMac(leaseKey, { runId, workerId, lease, term, step, lo, hi }, mac)) {
    refuse("lease", `worker ${workerId} has no such lease in this run`);
  }
  if (losses.length !== hi - lo || !losses.every(Number.isFinite)) {
    refuse("losses", `it needs ${hi - lo} finite losses`);
  }
  return { worker: workerId, lease, term, step, lo, hi, losses };
}

/**
 * Checks only the chunk's numbers; see `checkSums`.
 * @param range the shard's chunks
 * @throws {IsobatchError} `refused`
 */
export function checkChunk(
  { layout, range, wire }: { readonly layout: Layout; readonly range: ChunkRange; readonly wire: WireFormat },
  lease: PushedLease,
  chunk: NonNullable<PushMessage["chunk"]>,
): void {
  const { lo, hi, chunk: index, sums } = chunk;
  const what = `chunk ${index} of [${lo}, ${hi})`;
  checkNode(lease, lo, hi, what);
  if (!(index >= range.firstChunk && index < range.endChunk) || layout.chunks[index].kind === "frozen") {
    refuse("chunk", `chunk ${index} is not among those this shard takes, ${range.firstChunk} to ${range.endChunk - 1}`);
  }
  const expected = sumsBytes(layout.chunks[index], hi - lo, wire);
  if (sums.length !== expected) refuse("length", `${what} has ${sums.length} bytes instead of ${expected}`);
}

/** @throws {IsobatchError} `refused` for a node, called `what`, that is outside the lease */
export function checkNode(lease: PushedLease, lo: number, hi: number, what = `[${lo}, ${hi})`): void {
  if (lo >= lease.lo && hi <= lease.hi && lo < hi) return;
  refuse("outside_lease", `${what} is outside the lease [${lease.lo}, ${lease.hi})`);
}

/** The node [lo, hi) of the lease, as it is offered to the core. */
export function nodeOf({ worker, term, step, lo: from, losses }: PushedLease, lo: number, hi: number): OfferedNode {
  return { worker, term, step, lo, hi, losses: losses.slice(lo - from, hi - from) };
}

/**
 * @param connection the connection over which the chunk arrived
 * @throws {IsobatchError} `damaged` if the bytes are not those that were sent
 */
export function checkSums(
  { lo, hi, chunk, sums, checksum }: NonNullable<PushMessage["chunk"]>,
  { chunks }: Layout,
  connection: { readonly encrypted: boolean },
): void {
  const half = chunks[chunk].length * Float32Array.BYTES_PER_ELEMENT;
  const parts = sums.length <= half ? [sums] : [sums.subarray(0, half), sums.subarray(half)];
  verifyChecksum(connection, parts, checksum, `Chunk ${chunk} of [${lo}, ${hi})`);
}

function refuse(why: Rejection, reason: string): never {
  throw rejection(why, `The push is refused: ${reason}.`);
}
