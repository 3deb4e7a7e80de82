/**
 * A worker's samples, ready when the threads need them. What a lease needs is fetched in one call as soon as the lease
 * is known, while its weights arrive, unless it has been fetched before: after a push, when a worker has nothing else
 * to do, it fetches its share of the coming steps.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { FetchBatch } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import { began, span } from "../shared/trace/index.js";
import { type Connection, readMessages, type SampleBatchMessage, verifyChecksum } from "../shared/wire/index.js";
import {
  createSampleOrder,
  type Dataset,
  rowBytes,
  type SampleSpec,
  type Task,
  type TaskData,
} from "../tasks/index.js";
import { type BatchCache, createBatchCache, type FetchBatches } from "./batch-cache.js";
import { createLookAhead, regularPrefix, type Share } from "./look-ahead.js";

export type BatchKind = "microBatch" | "evaluation";

export interface Samples {
  readonly microBatch: FetchBatch;
  readonly evaluationBatch: FetchBatch;
  /** Starts fetching those of the batches [first, end) that are neither cached nor being fetched. */
  prefetch(kind: BatchKind, first: number, end: number): void;
  /**
   * The same, in the next turn, for batches of the coming steps that are worth fetching, given the share of the next
   * one.
   */
  prefetchSteps(share: Share): void;
  /** Cancels fetches; resolves when nothing is being fetched. */
  close(): Promise<void>;
}

type Batch = Awaited<ReturnType<FetchBatch>>;

/** The room for each kind; evaluation batches are used repeatedly, so they are kept as long as there is room. */
const CACHE_BYTES_MAX = 64 * 1024 * 1024;
const STALL_MS = 30_000;
const ATTEMPTS_MAX = 2;

/** The batches of one run that are cached or being fetched. They outlive the connections over which they arrive. */
export interface Batches extends Readonly<Record<BatchKind, BatchCache<Batch>>> {
  /** Throws if the received batch is not the requested one. */
  check(batch: SampleBatchMessage, kind: BatchKind, wanted: number, connection: { readonly encrypted: boolean }): void;
}

/** Empty caches for the batches of a run with this task and samples of this form. */
export function createBatches(
  task: Pick<Task, "microBatchSize" | "evaluationBatchSize">,
  { input, label }: SampleSpec,
): Batches {
  const [inputBytes, labelBytes] = [rowBytes(input), rowBytes(label)];
  const cacheOf = (samples: number) =>
    createBatchCache<Batch>({ bytesMax: CACHE_BYTES_MAX, batchBytes: samples * (inputBytes + labelBytes) });
  return {
    microBatch: cacheOf(task.microBatchSize),
    evaluation: cacheOf(task.evaluationBatchSize),
    check({ number, samples, inputs, labels, checksum }, kind, wanted, connection) {
      const name = `${kind === "evaluation" ? "Evaluation batch" : "Micro-batch"} ${wanted}`;
      if (number !== wanted) throw new IsobatchError("damaged", `${name} was requested, but ${number} was received.`);
      verifyChecksum(connection, [inputs, labels], checksum, name);
      // The last one of the test part may be smaller. Both caches rely on these sizes.
      const [least, most] =
        kind === "evaluation" ? [1, task.evaluationBatchSize] : [task.microBatchSize, task.microBatchSize];
      const isWhole = inputs.length === samples * inputBytes && labels.length === samples * labelBytes;
      if (!(samples >= least && samples <= most && isWhole)) {
        throw new IsobatchError(
          "damaged",
          `${name} has ${samples} samples in ${inputs.length} and ${labels.length} bytes, instead of ${most} in ${inputBytes} and ${labelBytes}.`,
        );
      }
    },
  };
}

export interface RemoteSamplesOptions {
  readonly connection: Connection;
  readonly workerId: string;
  /** The seal of the answer to Join. */
  readonly seal: Uint8Array;
  /** The batches of the run that the connection is for. */
  readonly batches: Batches;
}

/** Samples from the server. */
export function createRemoteSamples({ connection, workerId, seal, batches }: RemoteSamplesOptions): Samples {
  const closed = new AbortController();

  /** Fetches batches in order; a damaged one is requested once more. */
  async function* fetchInOrder(kind: BatchKind, numbers: readonly number[]): AsyncGenerator<Batch, void, undefined> {
    const begun = began();
    const what = `Fetching samples ${numbers[0]} to ${numbers.at(-1)}`;
    let next = 0;
    for (let attempt = 1; next < numbers.length; attempt++) {
      const wanted = regularPrefix(numbers.slice(next));
      const end = next + wanted.count * wanted.times;
      const stream = connection.coordinator.fetchSamples({
        workerId,
        seal: Buffer.from(seal),
        evaluation: kind === "evaluation",
        ...wanted,
      });
      try {
        for await (const batch of readMessages(stream, { what, stallMs: STALL_MS, signal: closed.signal })) {
          batches.check(batch, kind, numbers[next], connection);
          next += 1;
          attempt = 1;
          if (next === numbers.length) span("samples", begun, numbers[0], numbers[next - 1] + 1);
          yield shareable(batch);
          if (next === end) break;
        }
        if (next < end) throw new IsobatchError("damaged", `${what} ended before batch ${numbers[next]}.`);
        attempt = 0;
      } catch (error) {
        if (attempt >= ATTEMPTS_MAX || !(error instanceof IsobatchError && error.code === "damaged")) throw error;
      }
    }
  }

  const fetches = {
    microBatch: (numbers: readonly number[]) => fetchInOrder("microBatch", numbers),
    evaluation: (numbers: readonly number[]) => fetchInOrder("evaluation", numbers),
  };

  return {
    microBatch: (number) => batches.microBatch.get(number, fetches.microBatch),
    evaluationBatch: (number) => batches.evaluation.get(number, fetches.evaluation),
    prefetch: (kind, first, end) => batches[kind].prefetch(range(first, end), fetches[kind]),
    prefetchSteps: createStepsAhead(batches.microBatch, fetches.microBatch, closed.signal),
    async close() {
      closed.abort();
      // The next connection must not wait for batches that this one can no longer receive.
      await Promise.all([batches.microBatch.settled(), batches.evaluation.settled()]);
    },
  };
}

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

function createStepsAhead(cache: BatchCache<Batch>, fetch: FetchBatches<Batch>, closed: AbortSignal) {
  const lookAhead = createLookAhead(cache);
  // In the next turn: the push that was started in this one goes first.
  return (share: Share): void =>
    void setImmediate(() => {
      if (!closed.aborted) cache.prefetch(lookAhead(share), fetch);
    });
}

/**
 * The batch in memory that threads share: it is sent to them without a copy, and the message that contained it is
 * freed.
 */
function shareable({ samples, inputs, labels }: Batch): Batch {
  const bytes = new Uint8Array(new SharedArrayBuffer(inputs.length + labels.length));
  bytes.set(inputs);
  bytes.set(labels, inputs.length);
  return { samples, inputs: bytes.subarray(0, inputs.length), labels: bytes.subarray(inputs.length) };
}

/** Samples from a local copy, in the order that the server would send them. */
export function createLocalSamples(
  task: Pick<Task, "seed" | "microBatchSize" | "evaluationBatchSize">,
  { train, test }: TaskData,
  { microBatch: cache }: Pick<Batches, "microBatch">,
): Samples {
  const closed = new AbortController();
  const order = createSampleOrder({ seed: task.seed, microBatchSize: task.microBatchSize, samples: train.samples });
  const read = (dataset: Dataset, indices: Uint32Array): Batch =>
    shareable({ samples: indices.length, ...dataset.read(indices) });
  /** Reads one batch per turn of the event loop, so that other work can run in between. */
  async function* readInOrder(numbers: readonly number[]): AsyncGenerator<Batch, void, undefined> {
    for (const number of numbers) {
      if (closed.signal.aborted) throw new IsobatchError("interrupted", "Reading samples was interrupted.");
      yield read(train, order.samplesOf(number));
      await turn();
    }
  }
  return {
    microBatch: (number) => cache.get(number, readInOrder),
    async evaluationBatch(number) {
      if (test === undefined) throw new IsobatchError("invalid_input", "The local data has no part to evaluate on.");
      const first = number * task.evaluationBatchSize;
      const count = Math.min(task.evaluationBatchSize, test.samples - first);
      return read(
        test,
        Uint32Array.from({ length: count }, (_, i) => first + i),
      );
    },
    prefetch(kind, first, end) {
      if (kind === "microBatch") cache.prefetch(range(first, end), readInOrder);
    },
    prefetchSteps: createStepsAhead(cache, readInOrder, closed.signal),
    close() {
      closed.abort();
      return cache.settled();
    },
  };
}
