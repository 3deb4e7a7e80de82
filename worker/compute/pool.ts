/**
 * All of a worker's computing, as its main thread sees it: θ goes in through the shared memories, a lease comes out
 * as its canonical nodes, lying in slots of the same memories until they have been pushed.
 *
 * A lease's leaves are split among the threads; each folds its range while the samples of its next micro-batch are
 * on the way; then all threads together join the ranges' borders, each on its share of the elements. How many
 * threads there were can't be seen in the bits.
 */
import type { Interval } from "../../shared/sums/index.js";
import type { BackendName, Numerics } from "../backends/index.js";
import { prepareProcess, processLeaver } from "../backends/tensorflow/availability.js";
import { type ComputeThread, startComputeThread } from "./compute-thread.js";
import { type FoldedNode, joinNodes, slotsNeeded, splitLeaves } from "./fold.js";
import type { GradientFlip } from "./gradient-flip.js";
import type { SampleBatch } from "./gradients.js";
import type { WorkerMemory } from "./memory.js";
import { NonFiniteError } from "./non-finite-error.js";
import type { Join } from "./protocol.js";
import type { LeaseWeights } from "./sums.js";
import { patienceFor } from "./watchdog.js";

export interface ComputePoolOptions {
  /** As many as `memory` is planned for. */
  readonly threads: number;
  readonly backend: BackendName;
  readonly join: Join;
  readonly memory: WorkerMemory;
  /** Is told what people should know of how the model is computed. */
  readonly notice?: (line: string) => void;
  /** Is told when a thread takes suspiciously long. */
  readonly warn?: (line: string) => void;
  /** How long a thread may be at one thing; by default that follows from how long it took before. */
  readonly patienceMs?: number;
  /** For tests alone. */
  readonly flip?: GradientFlip;
}

/** Leaves [lo, hi) of a step. */
export interface Lease extends Interval {
  /** Number n of the step's first micro-batch. */
  readonly firstMicroBatch: number;
  /** κ of the step. */
  readonly microBatches: number;
  /** Of leaves lo … hi − 1 in S1 and S2; absent or empty: all 1. */
  readonly leafWeights1?: ArrayLike<number>;
  readonly leafWeights2?: ArrayLike<number>;
}

export interface ComputedLease {
  /** Exactly the lease's canonical nodes, from left to right; their slots are the caller's to release. */
  readonly nodes: FoldedNode[];
  /** One a leaf: the micro-batch's mean loss, regularisers included. */
  readonly losses: Float64Array;
  /** From the first samples to the last sum. */
  readonly computeMs: number;
  /** The longest that a thread waited for samples after its first. */
  readonly samplesMs: number;
}

/** Fetches a batch's raw bytes by its number: n of a micro-batch, or that of an evaluation batch. */
export type FetchBatch = (number: number) => Promise<Omit<SampleBatch, "number">>;

export interface ComputeOptions {
  /** Gives up between two micro-batches; the call then rejects with the signal's reason once all threads rest. */
  readonly signal?: AbortSignal;
}

export interface ComputePool {
  readonly numerics: Numerics;
  readonly device: string;
  readonly memory: WorkerMemory;
  /** Copies θ from the shared memories into every thread's model; until it resolves θ must not change. */
  load(): Promise<void>;
  /**
   * Computes a lease with the weights last loaded.
   * @throws {NonFiniteError} with the micro-batch whose loss, gradient or sum is NaN or infinite.
   */
  compute(lease: Lease, fetchBatch: FetchBatch, options?: ComputeOptions): Promise<ComputedLease>;
  /** Evaluates batches [first, end) with the weights last loaded; both lists have one entry a batch. */
  evaluate(
    first: number,
    end: number,
    fetchBatch: FetchBatch,
    options?: ComputeOptions,
  ): Promise<{ lossSums: Float64Array; correct: Float64Array }>;
  /** Gives the slots of nodes back, after they have been pushed or dropped. */
  release(slots: readonly number[]): void;
  /** Ends the threads; whatever is under way rejects. Resolves with whether all have ended, as `ComputeThread` says. */
  close(): Promise<boolean>;
}

/** Starts the threads. `load`, `compute` and `evaluate` run one after the other, in the order they are called. */
export async function createComputePool(options: ComputePoolOptions): Promise<ComputePool> {
  const { memory, notice, warn, patienceMs, ...others } = options;
  const { plan, memories } = memory;
  prepareProcess(options.backend);
  const patience = patienceFor(options.backend, patienceMs);
  const leave = processLeaver(options.backend);
  const starting = Array.from({ length: options.threads }, (_, thread) =>
    startComputeThread({
      start: { ...others, thread, layout: plan.layout, memories },
      // All threads report the same.
      notice: thread === 0 ? notice : undefined,
      ...{ warn, patience, leave },
    }),
  );
  const threads = await Promise.all(starting).catch(async (error: unknown) => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((result) => result.status === "fulfilled" && result.value.close()));
    throw error;
  });
  const inTurn = createTurns();
  const { numerics, device } = threads[0];

  return {
    numerics,
    device,
    memory,
    load: () =>
      inTurn(async () => {
        await together(threads, undefined, (thread) => thread.ask("load", {}));
      }),
    compute: (lease, fetchBatch, { signal } = {}) =>
      inTurn(async () => {
        const ranges = splitLeaves(lease.lo, lease.hi, threads.length);
        const needs = ranges.map(({ lo, hi }) => slotsNeeded(lo, hi));
        const slots = await memory.takeSlots(needs.reduce((sum, need) => sum + need, 0));
        const rest = [...slots];
        const parts = ranges.map((range, i) => ({ ...range, slots: rest.splice(0, needs[i]) }));
        let kept: readonly FoldedNode[] = [];
        try {
          const computed = await computeLease(threads, lease, parts, fetchBatch, signal);
          kept = computed.nodes;
          return computed;
        } finally {
          memory.releaseSlots(slots.filter((slot) => kept.every((node) => node.slot !== slot)));
        }
      }),
    evaluate: (first, end, fetchBatch, { signal } = {}) =>
      inTurn(async () => {
        const lossSums = new Float64Array(end - first);
        const correct = new Float64Array(end - first);
        let next = first;
        const batches = (): number | undefined => (next < end ? next++ : undefined);
        await together(threads, signal, (thread, _, stop) =>
          askEach(batches, fetchBatch, stop, async (batch) => {
            const result = await thread.ask("evaluate", { batch });
            lossSums[batch.number - first] = result.lossSum;
            correct[batch.number - first] = result.correct;
          }),
        );
        return { lossSums, correct };
      }),
    release: (slots) => memory.releaseSlots(slots),
    async close() {
      const ended = await Promise.all(threads.map((thread) => thread.close()));
      return ended.every((each) => each);
    },
  };
}

async function computeLease(
  threads: readonly ComputeThread[],
  lease: Lease,
  ranges: readonly (Interval & { slots: number[] })[],
  fetchBatch: FetchBatch,
  signal: AbortSignal | undefined,
): Promise<ComputedLease> {
  const { lo, hi, microBatches, firstMicroBatch } = lease;
  const weights = leaseWeightsOf(lease);
  const losses = new Float64Array(hi - lo);
  let startedAt: number | undefined;
  const folded = await together(threads.slice(0, ranges.length), signal, async (thread, i, stop) => {
    const { slots, ...range } = ranges[i];
    let waitedMs = 0;
    let next = range.lo;
    const numbers = (): number | undefined => (next < range.hi ? firstMicroBatch + next++ : undefined);
    await thread.ask("fold", { ...range, microBatches, firstMicroBatch, weights, slots });
    await askEach(numbers, fetchBatch, stop, async (batch) => {
      startedAt ??= performance.now();
      const computed = await thread.ask("microBatch", { batch });
      losses[batch.number - firstMicroBatch - lo] = computed.loss;
      waitedMs += computed.waitedMs;
    });
    return { waitedMs, ...(await thread.ask("nodes", {})) };
  });

  const { nodes, operations } = joinNodes(
    folded.flatMap((fold) => fold.nodes),
    microBatches,
  );
  const joined = await together(threads, undefined, (thread, index) =>
    thread.ask("join", { operations, nodes, weights, part: { index, of: threads.length } }),
  );
  const broken = nodes.find((_, i) => joined.some(({ finite }) => !finite[i]));
  if (broken !== undefined) {
    const first = firstMicroBatch + broken.lo;
    const last = firstMicroBatch + broken.hi - 1;
    throw new NonFiniteError(first, `The sums of micro-batches ${first} to ${last} overflow float32.`);
  }
  return {
    nodes,
    losses,
    computeMs: performance.now() - startedAt!,
    samplesMs: Math.max(...folded.map((fold) => fold.waitedMs)),
  };
}

function leaseWeightsOf({ lo, leafWeights1 = [], leafWeights2 = [] }: Lease): LeaseWeights | undefined {
  if (leafWeights1.length === 0 && leafWeights2.length === 0) return undefined;
  return { first: lo, w1: leafWeights1, w2: leafWeights2 };
}

/**
 * Fetches batch after batch and asks for each, keeping one fetched and one asked ahead, so that whoever answers never
 * waits while samples are there. Settles only when nothing asked is outstanding.
 */
async function askEach(
  nextNumber: () => number | undefined,
  fetchBatch: FetchBatch,
  signal: AbortSignal,
  ask: (batch: SampleBatch) => Promise<void>,
): Promise<void> {
  const fetchNext = (): Promise<SampleBatch> | undefined => {
    const number = nextNumber();
    if (number === undefined) return undefined;
    const fetched = fetchBatch(number).then((batch) => ownBatch({ ...batch, number }));
    // Its failure is met where it is awaited; until then, and if something else fails before, it is no surprise.
    fetched.catch(() => {});
    return fetched;
  };
  let asked: Promise<void> = Promise.resolve();
  try {
    let fetched = fetchNext();
    while (fetched !== undefined) {
      const batch = await abortable(fetched, signal);
      fetched = fetchNext();
      const before = asked;
      asked = ask(batch);
      asked.catch(() => {});
      await before;
    }
  } catch (error) {
    await asked.catch(() => {});
    throw error;
  }
  await asked;
}

/** The batch with bytes of its own: what is posted takes its whole buffer along, which may be a large message's. */
function ownBatch(batch: SampleBatch): SampleBatch {
  return { ...batch, inputs: new Uint8Array(batch.inputs), labels: new Uint8Array(batch.labels) };
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Starts `work` on every thread and waits for all of them to rest. The first failure stops the others at their next
 * micro-batch and is what the call rejects with.
 */
async function together<T>(
  threads: readonly ComputeThread[],
  signal: AbortSignal | undefined,
  work: (thread: ComputeThread, index: number, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const results = await Promise.allSettled(
    threads.map((thread, index) =>
      work(thread, index, stop).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  if (failed.signal.aborted) throw failed.signal.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}

/** Runs asynchronous work one after the other, in the order of the calls. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
  };
}
