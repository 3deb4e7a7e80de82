/**
 * A worker's samples, ready when the threads ask for them. What a lease needs is fetched in one call as soon as the
 * lease is known, while its weights are still on the way; and when nothing else is to be done, the same share of the
 * next step, since leases tend to be cut alike.
 */
import { IsobatchError } from "../shared/errors.js";
import { began, span } from "../shared/trace/index.js";
import { type Connection, readMessages, type SampleBatch__Output, verifyChecksum } from "../shared/wire/index.js";
import {
  createSampleOrder,
  type Dataset,
  rowBytes,
  type SampleSpec,
  type Task,
  type TaskData,
} from "../tasks/index.js";
import { type BatchCache, createBatchCache } from "./batch-cache.js";
import type { FetchBatch } from "./compute/index.js";

export type BatchKind = "microBatch" | "evaluation";

export interface Samples {
  readonly microBatch: FetchBatch;
  readonly evaluationBatch: FetchBatch;
  /** Starts fetching the batches [first, end) that are neither here nor on the way. */
  prefetch(kind: BatchKind, first: number, end: number): void;
  /** Ends what is on the way; resolves when nothing is. */
  close(): Promise<void>;
}

type Batch = Awaited<ReturnType<FetchBatch>>;

/** Of each kind; evaluation batches come again and again, so they are kept as long as there is room. */
const CACHE_BYTES_MAX = 64 * 1024 * 1024;
const STALL_MS = 30_000;
const ATTEMPTS_MAX = 2;

/** The batches of one run that are here or on the way. They outlive the connections over which they come. */
export interface Batches extends Readonly<Record<BatchKind, BatchCache<Batch>>> {
  /** Throws if what came is not the batch that was asked for. */
  check(batch: SampleBatch__Output, kind: BatchKind, wanted: number, connection: { readonly encrypted: boolean }): void;
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
      if (number !== wanted) throw new IsobatchError("damaged", `${name} was asked for, and ${number} came.`);
      verifyChecksum(connection, [inputs, labels], checksum, name);
      // The last one of the test part may be smaller. Both caches rely on these sizes.
      const [least, most] =
        kind === "evaluation" ? [1, task.evaluationBatchSize] : [task.microBatchSize, task.microBatchSize];
      const isWhole = inputs.length === samples * inputBytes && labels.length === samples * labelBytes;
      if (!(samples >= least && samples <= most && isWhole)) {
        throw new IsobatchError(
          "damaged",
          `${name} came with ${samples} samples in ${inputs.length} and ${labels.length} bytes, not with ${most} of ${inputBytes} and ${labelBytes}.`,
        );
      }
    },
  };
}

export interface RemoteSamplesOptions {
  readonly connection: Connection;
  readonly workerId: string;
  /** JoinResponse's. */
  readonly seal: Uint8Array;
  /** The batches of the run that the connection is for. */
  readonly batches: Batches;
}

/** Samples from the server. */
export function createRemoteSamples({ connection, workerId, seal, batches }: RemoteSamplesOptions): Samples {
  const closed = new AbortController();

  /** Fetches batches [first, end) in order; one that came damaged is asked for once more. */
  async function* fetchInOrder(
    evaluation: boolean,
    first: number,
    end: number,
  ): AsyncGenerator<Batch, void, undefined> {
    const begun = began();
    let next = first;
    for (let attempt = 1; next < end; attempt++) {
      const stream = connection.coordinator.fetchSamples({
        ...{ workerId, seal: Buffer.from(seal), evaluation, first: next, count: end - next },
      });
      const what = `Fetching samples ${next} to ${end - 1}`;
      try {
        for await (const batch of readMessages(stream, {
          what,
          stallMs: STALL_MS,
          signal: closed.signal,
        })) {
          batches.check(batch, evaluation ? "evaluation" : "microBatch", next, connection);
          next += 1;
          attempt = 1;
          if (next === end) span("samples", begun, first, end);
          yield shareable(batch);
          if (next === end) return;
        }
        throw new IsobatchError("damaged", `${what} ended before batch ${next}.`);
      } catch (error) {
        if (attempt >= ATTEMPTS_MAX || !(error instanceof IsobatchError && error.code === "damaged")) throw error;
      }
    }
  }

  const fetches = {
    microBatch: (first: number, end: number) => fetchInOrder(false, first, end),
    evaluation: (first: number, end: number) => fetchInOrder(true, first, end),
  };

  return {
    microBatch: (number) => batches.microBatch.get(number, fetches.microBatch),
    evaluationBatch: (number) => batches.evaluation.get(number, fetches.evaluation),
    prefetch: (kind, first, end) => batches[kind].prefetch(first, end, fetches[kind]),
    async close() {
      closed.abort();
      // The next connection must not wait for what this one no longer brings.
      await Promise.all([batches.microBatch.settled(), batches.evaluation.settled()]);
    },
  };
}

/** The batch in memory that threads share: it is sent to them without a copy, and the message that it came in is freed. */
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
): Samples {
  const order = createSampleOrder({ seed: task.seed, microBatchSize: task.microBatchSize, samples: train.samples });
  const read = (dataset: Dataset, indices: Uint32Array): Batch =>
    shareable({ samples: indices.length, ...dataset.read(indices) });
  return {
    microBatch: async (n) => read(train, order.samplesOf(n)),
    async evaluationBatch(number) {
      if (test === undefined) throw new IsobatchError("invalid_input", "The local data has no part to evaluate on.");
      const first = number * task.evaluationBatchSize;
      const count = Math.min(task.evaluationBatchSize, test.samples - first);
      return read(
        test,
        Uint32Array.from({ length: count }, (_, i) => first + i),
      );
    },
    prefetch() {},
    async close() {},
  };
}
