/**
 * All of a worker's computing, as its main thread sees it: θ goes in through the shared memories, a lease comes out
 * as its canonical nodes, stored in slots of the same memories until they have been pushed.
 *
 * A lease may be requested as soon as the weights that it needs are being loaded: a thread does one after another,
 * without waiting in between.
 */

import type { Numerics } from "../backends/index.js";
import { type BackendName, type BackendSettings, prepareProcess, processLeaver } from "../backends/machine/index.js";
import { type ComputedLease, computeLease, type FedThread, type Lease } from "./compute-lease.js";
import { createSerialQueue, onEachThread } from "./concurrency.js";
import { type FoldedNode, slotsNeeded, splitLeaves } from "./fold.js";
import type { GradientFlip } from "./gradient-flip.js";
import type { GradientsOptions } from "./gradients/index.js";
import type { WorkerMemory } from "./memory.js";
import type { Join } from "./protocol.js";
import { createSampleFeed, type FetchBatch, requestEach } from "./sample-feed.js";
import { type ComputeThread, startComputeThread } from "./thread-client.js";
import { patienceFor } from "./watchdog.js";

export interface ComputePoolOptions {
  /** The number of threads; `memory` must be planned for this many. */
  readonly threads: number;
  readonly backend: BackendName;
  readonly backendSettings: BackendSettings;
  readonly join: Join;
  readonly memory: WorkerMemory;
  /** Called with what people should know about how the model is computed. */
  readonly notice?: (line: string) => void;
  /** Called when a thread takes suspiciously long. */
  readonly warn?: (line: string) => void;
  /** How long a thread may take for one thing; by default this follows from how long it took before. */
  readonly patienceMs?: number;
  /** Only for tests, by ISOBATCH_FLIP_GRADIENT_BIT. */
  readonly flip?: GradientFlip;
  /** Only for tests: where gradients are summed. */
  readonly foldOn?: GradientsOptions["foldOn"];
}

export interface ComputeOptions {
  /** Gives up between two micro-batches; the call then rejects with the signal's reason once all threads are idle. */
  readonly signal?: AbortSignal;
}

/** `load`, `compute` and `evaluate` take effect in the order in which they are called. */
export interface ComputePool {
  readonly numerics: Numerics;
  readonly device: string;
  readonly memory: WorkerMemory;
  /**
   * Copies θ from the shared memories into every thread's model; until it resolves θ must not change. Work that is
   * requested meanwhile is computed with these weights; if they can't be loaded, it fails too.
   */
  load(): Promise<void>;
  /** Sends the first samples of a lease that will be computed to its threads, which decode them while they wait. */
  prepare(lease: Lease, fetchBatch: FetchBatch): void;
  /**
   * Computes a lease with the weights last loaded.
   * @throws {NonFiniteError} with the micro-batch whose loss, gradient or sum is NaN or infinite
   */
  compute(lease: Lease, fetchBatch: FetchBatch, options?: ComputeOptions): Promise<ComputedLease>;
  /** Evaluates batches [first, end) with the weights last loaded; both lists have one entry per batch. */
  evaluate(
    first: number,
    end: number,
    fetchBatch: FetchBatch,
    options?: ComputeOptions,
  ): Promise<{ lossSums: Float64Array; correct: Float64Array }>;
  /** Releases the slots of nodes, after they have been pushed or dropped. */
  release(slots: readonly number[]): void;
  /**
   * Ends the threads; calls that are pending reject. Resolves with whether all have ended, see `ComputeThread.close`.
   */
  close(): Promise<boolean>;
}

/** Starts the threads. */
export async function createComputePool(options: ComputePoolOptions): Promise<ComputePool> {
  const { memory } = options;
  const threads = await startThreads(options);
  const fed: FedThread[] = threads.map((thread) => ({ thread, feed: createSampleFeed(thread) }));
  const serially = createSerialQueue();
  const { numerics, device } = threads[0];

  return {
    numerics,
    device,
    memory,
    async load() {
      // Its turn ends once the threads have been asked; their replies are awaited outside it.
      const { loaded } = await serially(async () => ({
        loaded: onEachThread(threads, undefined, (thread) => thread.ask("load", {})),
      }));
      await loaded;
    },
    prepare({ lo, hi, firstMicroBatch }, fetchBatch) {
      for (const [i, range] of splitLeaves(lo, hi, threads.length).entries()) {
        fed[i].feed.prepare(firstMicroBatch + range.lo, fetchBatch);
      }
    },
    compute: (lease, fetchBatch, { signal } = {}) =>
      serially(async () => {
        const ranges = splitLeaves(lease.lo, lease.hi, threads.length);
        const needs = ranges.map(({ lo, hi }) => (lease.apart ? hi - lo : slotsNeeded(lo, hi)));
        const slots = await memory.takeSlots(
          needs.reduce((sum, need) => sum + need, 0),
          signal,
        );
        const rest = [...slots];
        const parts = ranges.map((range, i) => ({ ...range, slots: rest.splice(0, needs[i]) }));
        let kept: readonly FoldedNode[] = [];
        try {
          const computed = await computeLease(fed, lease, parts, fetchBatch, signal);
          kept = computed.nodes;
          return computed;
        } finally {
          memory.releaseSlots(slots.filter((slot) => kept.every((node) => node.slot !== slot)));
        }
      }),
    evaluate: (first, end, fetchBatch, { signal } = {}) =>
      serially(() => evaluateBatches(threads, first, end, fetchBatch, signal)),
    release: (slots) => memory.releaseSlots(slots),
    async close() {
      const ended = await Promise.all(threads.map((thread) => thread.close()));
      return ended.every((each) => each);
    },
  };
}

async function startThreads(options: ComputePoolOptions): Promise<ComputeThread[]> {
  const { memory, notice, warn, patienceMs, ...others } = options;
  const { backend, backendSettings } = options;
  const { plan, memories } = memory;
  prepareProcess(backend, backendSettings);
  const patience = patienceFor(backend, patienceMs);
  const leave = processLeaver(backend, backendSettings);
  const starting = Array.from({ length: options.threads }, (_, thread) =>
    startComputeThread({
      start: { ...others, thread, layout: plan.layout, memories },
      // All threads report the same.
      notice: thread === 0 ? notice : undefined,
      warn,
      patience,
      leave,
    }),
  );
  return Promise.all(starting).catch(async (error: unknown) => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((result) => result.status === "fulfilled" && result.value.close()));
    throw error;
  });
}

/** Evaluates batches, each on the first thread that is free. */
async function evaluateBatches(
  threads: readonly ComputeThread[],
  first: number,
  end: number,
  fetchBatch: FetchBatch,
  signal: AbortSignal | undefined,
): Promise<{ lossSums: Float64Array; correct: Float64Array }> {
  const lossSums = new Float64Array(end - first);
  const correct = new Float64Array(end - first);
  let next = first;
  const batches = (): number | undefined => (next < end ? next++ : undefined);
  const fetch = async (number: number) => ({ ...(await fetchBatch(number)), number });
  await onEachThread(threads, signal, (thread, _, stop) =>
    requestEach(batches, fetch, stop, async (batch) => {
      const result = await thread.ask("evaluate", { batch });
      lossSums[batch.number - first] = result.lossSum;
      correct[batch.number - first] = result.correct;
    }),
  );
  return { lossSums, correct };
}
