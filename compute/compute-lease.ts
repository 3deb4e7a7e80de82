/**
 * Computes one lease, split among the threads: each is given its whole range at once and answers once, with the nodes
 * that it has folded, while its samples are sent. If threads have folded siblings, all threads join those, each on its
 * share of the elements. The bits do not depend on the number of threads.
 */
import type { Interval } from "../shared/sums/index.js";
import { onEachThread } from "./concurrency.js";
import { NonFiniteError } from "./errors.js";
import { type FoldedNode, joinNodes } from "./fold.js";
import type { FoldedRange } from "./protocol.js";
import type { FetchBatch, SampleFeed } from "./sample-feed.js";
import type { LeaseCoefficients } from "./sums.js";
import type { ComputeThread } from "./thread-client.js";

/** Leaves [lo, hi) of a step. */
export interface Lease extends Interval {
  /** Number n of the step's first micro-batch. */
  readonly firstMicroBatch: number;
  /** κ of the step. */
  readonly microBatches: number;
  /** The coefficients of leaves lo … hi − 1 in S1 and S2; absent or empty: all 1. */
  readonly leafCoefficients1?: ArrayLike<number>;
  readonly leafCoefficients2?: ArrayLike<number>;
  /** Whether every leaf stays a separate node, for its shards to fold. */
  readonly apart?: boolean;
}

export interface ComputedLease {
  /** The lease's canonical nodes, or its leaves, from left to right; the caller must release their slots. */
  readonly nodes: FoldedNode[];
  /** One per leaf: the micro-batch's mean loss, regularisers included. */
  readonly losses: Float64Array;
  /** From the first samples to the last sum. */
  readonly computeMs: number;
  /** The longest that a thread waited for samples after its first. */
  readonly samplesMs: number;
}

/** A thread, and what sends it samples. */
export interface FedThread {
  readonly thread: ComputeThread;
  readonly feed: SampleFeed;
}

/** A thread's part of a lease, and the slots that folding it takes. */
export type LeasePart = Interval & { readonly slots: number[] };

/** @param parts the parts of the first threads, from left to right */
export async function computeLease(
  threads: readonly FedThread[],
  lease: Lease,
  parts: readonly LeasePart[],
  fetchBatch: FetchBatch,
  signal: AbortSignal | undefined,
): Promise<ComputedLease> {
  const coefficients = leaseCoefficientsOf(lease);
  const folded = await onEachThread(threads.slice(0, parts.length), signal, (fed, i, stop, fail) =>
    foldPart(fed, { lease, part: parts[i], coefficients, fetchBatch, stop, fail }),
  );
  const foldedNodes = folded.flatMap((range) => range.nodes);
  const { nodes, operations } = lease.apart
    ? { nodes: foldedNodes, operations: [] }
    : joinNodes(foldedNodes, lease.microBatches);
  const infinite = folded.flatMap((range) => range.infinite);
  const foldedAt = performance.now();
  if (operations.length > 0) {
    const made = nodes.filter(({ lo, hi }) => !foldedNodes.some((node) => node.lo === lo && node.hi === hi));
    const joined = await onEachThread(threads, undefined, ({ thread }, index) =>
      thread.ask("join", { operations, nodes: made, coefficients, part: { index, of: threads.length } }),
    );
    infinite.push(...made.filter((_, i) => joined.some(({ finite }) => !finite[i])));
  }
  refuseInfinite(lease, infinite);
  return {
    nodes,
    losses: Float64Array.from(folded.flatMap((range) => range.losses)),
    computeMs: Math.max(...folded.map((range) => range.computeMs)) + performance.now() - foldedAt,
    samplesMs: Math.max(...folded.map((range) => range.waitedMs)),
  };
}

interface Folding {
  readonly lease: Lease;
  readonly part: LeasePart;
  readonly coefficients: LeaseCoefficients | undefined;
  readonly fetchBatch: FetchBatch;
  readonly stop: AbortSignal;
  readonly fail: (error: unknown) => void;
}

/** Resolves, or rejects, when the thread is idle again. */
async function foldPart({ thread, feed }: FedThread, folding: Folding): Promise<FoldedRange> {
  const { lease, part, coefficients, fetchBatch, stop, fail } = folding;
  const { microBatches, firstMicroBatch, apart = false } = lease;
  stop.throwIfAborted();
  const abandon = (): void => thread.abandon();
  stop.addEventListener("abort", abandon, { once: true });
  const whole = { lo: lease.lo, hi: lease.hi };
  const folded = thread.ask("lease", { ...part, whole, microBatches, firstMicroBatch, apart, coefficients });
  const sent = feed.send(firstMicroBatch + part.lo, firstMicroBatch + part.hi, fetchBatch, stop);
  // The first failure stops the other, which then settles.
  for (const each of [folded, sent]) each.catch(fail);
  await Promise.allSettled([folded, sent]);
  stop.removeEventListener("abort", abandon);
  await sent;
  const range = await folded;
  if (range === null) throw stop.reason;
  return range;
}

function leaseCoefficientsOf({
  lo,
  leafCoefficients1 = [],
  leafCoefficients2 = [],
}: Lease): LeaseCoefficients | undefined {
  if (leafCoefficients1.length === 0 && leafCoefficients2.length === 0) return undefined;
  return { first: lo, w1: leafCoefficients1, w2: leafCoefficients2 };
}

/** @throws {NonFiniteError} with the first of these sums. */
function refuseInfinite({ firstMicroBatch }: Lease, infinite: readonly Interval[]): void {
  if (infinite.length === 0) return;
  const broken = infinite.reduce((first, node) => (node.lo < first.lo ? node : first));
  const first = firstMicroBatch + broken.lo;
  const last = firstMicroBatch + broken.hi - 1;
  throw new NonFiniteError(first, `The sums of micro-batches ${first} to ${last} overflow float32.`);
}
