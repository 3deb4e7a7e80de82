/**
 * A server that does what a test wants, on real connections: a coordinator with shard 0, and a separate shard 1.
 * It decides nothing: it records what the worker says and sends what the test wants sent.
 */

import { batchOf, FORM } from "../compute/gradients/open-gradients.test.helper.js";
import type { Join } from "../compute/index.js";
import { type Layout, layoutToJson, sliceChunks } from "../shared/layout/index.js";
import {
  type Address,
  type CoordinatorHandlers,
  cancel,
  checksumFor,
  coordinatorService,
  createHandlers,
  createServer,
  createWriter,
  type FetchSamplesRequest,
  type JoinRequest,
  type JoinResponse,
  type MessageWriter,
  type MicroBatchLease,
  type PushLease,
  readMessages,
  type ShardHandlers,
  type SumsChunk,
  shardService,
  type WeightsChunk,
  type WorkerCommand,
  type WorkerReportMessage,
} from "../shared/wire/index.js";
import { TAKEN } from "../shared/wire/messages/messages.test.helper.js";
import { buildModel, resolveTask, type Task } from "../tasks/index.js";

export interface ReceivedPush {
  readonly shard: number;
  readonly lease: PushLease;
  readonly chunks: SumsChunk[];
  /** All of it came. */
  complete: boolean;
  /** The worker gave it up. grpc-js says so of a call that was answered, too, so look at `complete` as well. */
  cancelled: boolean;
}

export interface FakeServer {
  readonly address: Address;
  readonly task: Task;
  readonly layout: Layout;
  /** What compute threads are given. */
  readonly join: Join;
  /** θ of the version, `layout.length` numbers. */
  weights(version: number): Float32Array;
  readonly heard: {
    readonly joins: JoinRequest[];
    /** Without heartbeats. */
    readonly reports: WorkerReportMessage[];
    heartbeats: number;
    readonly pushes: ReceivedPush[];
    readonly fetches: FetchSamplesRequest[];
    /** By the shard asked. */
    readonly watches: number[];
  };
  /** What a test may change. */
  readonly behaviour: {
    join: (response: JoinResponse) => JoinResponse;
    /** Whether Work streams are kept, or dropped once their worker has attached. */
    work: "keep" | "drop";
    samples: typeof batchOf;
    /** May change a chunk before it is sent. */
    chunk: (chunk: WeightsChunk) => WeightsChunk;
    /** May throw. */
    push: (lease: PushLease) => Promise<void>;
    /** May be late, and damage the batches' checksums. */
    fetch: (request: FetchSamplesRequest) => Promise<{ damaged: boolean }>;
  };
  /** To every worker that is attached. */
  command(command: WorkerCommand): void;
  /** Sends these chunks, by default all, of a version to all that watch, and to all that watch from now on. */
  publish(term: number, version: number, chunks?: readonly number[]): void;
  /** Breaks every Work stream. */
  dropWorkers(): void;
  /** Waits for something heard; fails after 60 s. */
  until(condition: () => boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

const LOOPBACK: Address = { host: "127.0.0.1", port: 0 };
const DEADLINE_MS = 60_000;
const PLAIN = { encrypted: false };

export async function startFakeServer(fields: Record<string, unknown> = {}): Promise<FakeServer> {
  const layer = (units: number) => ({ layer: "Dense", units, activation: "tanh" });
  const task = resolveTask("tiny", {
    name: "tiny",
    seed: 5,
    model: {
      kind: "sequential",
      // The frozen layer, the batch statistics and more than one chunk of parameters: every kind of chunk there is.
      layers: [
        { layer: "Dense", units: 64, inputShape: [4], name: "frozen" },
        layer(64),
        { layer: "BatchNormalization" },
        layer(8),
        { layer: "Dense", units: 3 },
      ],
    },
    freeze: ["frozen"],
    loss: "softmaxCrossEntropy",
    dataset: { kind: "mnist" },
    microBatchSize: 8,
    evaluationBatchSize: 8,
    microBatchesPerStep: 4,
    samples: 8 * 4 * 100,
    optimizer: { name: "invariant", rule: "exponential" },
    learningRate: 0.01,
    ...fields,
  });
  const { layout, topology, initialWeights } = await buildModel(task);
  const weights = (version: number): Float32Array => initialWeights.map((value) => value * (1 + version / 8));

  const heard: FakeServer["heard"] = { joins: [], reports: [], heartbeats: 0, pushes: [], fetches: [], watches: [] };
  const behaviour: FakeServer["behaviour"] = {
    join: (response) => response,
    work: "keep",
    samples: batchOf,
    chunk: (chunk) => chunk,
    push: async () => {},
    fetch: async () => ({ damaged: false }),
  };
  const workers = new Set<{ writer: MessageWriter<WorkerCommand>; drop: () => void }>();
  const watchers = new Map<MessageWriter<WeightsChunk>, { firstChunk: number; endChunk: number }>();
  const published = new Map<number, { term: number; version: number }>();
  const waiting = new Set<() => void>();
  const slices = sliceChunks(layout, 2);
  let shard1: Address = LOOPBACK;

  const noteHearing = (): void => {
    for (const check of [...waiting]) check();
  };
  const { unary, clientStream, serverStream, bidi } = createHandlers((error) => {
    throw error;
  });

  const coordinatorHandlers: Pick<CoordinatorHandlers, "Join" | "Work" | "FetchSamples"> = {
    Join: unary((call) => {
      heard.joins.push(call.request);
      noteHearing();
      return behaviour.join({
        workerId: `worker-${heard.joins.length}`,
        runId: "run-1",
        taskJson: JSON.stringify(task),
        topologyJson: topology,
        layoutJson: layoutToJson(layout),
        sampleFormJson: JSON.stringify(FORM),
        datasetFingerprint: "f".repeat(64),
        heartbeatMs: 50,
        evaluationBatches: 4,
        seal: Buffer.alloc(0),
        shards: slices.map((slice, index) => ({
          index,
          address: index === 0 ? `:${main.port}` : `:${shard1.port}`,
          ...slice,
        })),
      });
    }),
    Work: bidi(async (call) => {
      const writer = createWriter<WorkerCommand>(call, { stallMs: DEADLINE_MS, what: "Work" });
      const worker = { writer, drop: () => cancel(call) };
      workers.add(worker);
      try {
        for await (const report of readMessages(call, { what: "Work" })) {
          if (report.heartbeat) heard.heartbeats += 1;
          else heard.reports.push(report);
          if (behaviour.work === "drop") return cancel(call);
          noteHearing();
        }
      } catch {
        // The worker has gone; the test knows why.
      } finally {
        workers.delete(worker);
      }
    }),
    FetchSamples: serverStream(async (call) => {
      heard.fetches.push(call.request);
      noteHearing();
      const { damaged } = await behaviour.fetch(call.request);
      const writer = createWriter(call, { stallMs: DEADLINE_MS, what: "FetchSamples" });
      const { first, count, every, times } = call.request;
      for (let i = 0; i < count * times; i++) {
        const number = first + Math.floor(i / count) * every + (i % count);
        const { inputs, labels, samples } = behaviour.samples(number);
        const checksum = checksumFor(PLAIN, [inputs, labels]);
        if (damaged) checksum[0] ^= 1;
        await writer.write({ number, samples, inputs, labels, checksum });
      }
    }),
  };

  const shardHandlers = (shard: number): ShardHandlers => ({
    PushSums: clientStream(async (call) => {
      let push: ReceivedPush | undefined;
      for await (const { lease, chunk } of readMessages(call, { what: "PushSums" })) {
        if (lease) {
          const begun = { shard, lease, chunks: [], complete: false, cancelled: false };
          push = begun;
          heard.pushes.push(push);
          noteHearing();
          call.on("cancelled", () => {
            begun.cancelled = true;
            noteHearing();
          });
          await behaviour.push(lease);
        } else push!.chunks.push({ ...chunk!, sums: Buffer.from(chunk!.sums) });
      }
      // A call that was opened ahead, and over which nothing was pushed.
      if (push === undefined) return TAKEN;
      push.complete = true;
      noteHearing();
      return TAKEN;
    }),
    Near: bidi((call) => void call.write({ invitation: { memory: "" } })),
    WatchWeights: serverStream(async (call) => {
      const writer = createWriter<WeightsChunk>(call, { stallMs: DEADLINE_MS, what: "WatchWeights" });
      heard.watches.push(shard);
      watchers.set(writer, slices[shard]);
      noteHearing();
      for (const [chunk, { term, version }] of published) sendChunk(writer, chunk, term, version);
      await new Promise((resolve) => writer.ended.addEventListener("abort", resolve, { once: true }));
      watchers.delete(writer);
    }),
  });

  const sendChunk = (writer: MessageWriter<WeightsChunk>, chunk: number, term: number, version: number): void => {
    const { firstChunk, endChunk } = watchers.get(writer)!;
    if (chunk < firstChunk || chunk >= endChunk) return;
    const { offset, length } = layout.chunks[chunk];
    const bytes = new Uint8Array(weights(version).buffer, offset * 4, length * 4);
    writer
      .write(behaviour.chunk({ term, version, chunk, weights: bytes, checksum: checksumFor(PLAIN, [bytes]) }))
      .catch(() => {});
  };

  const servers = [createServer({}), createServer({})];
  servers[0].addService(coordinatorService, coordinatorHandlers);
  for (const [shard, server] of servers.entries()) server.addService(shardService, shardHandlers(shard));
  const main = await servers[0].listen(LOOPBACK);
  shard1 = await servers[1].listen(LOOPBACK);

  return {
    address: main,
    task,
    layout,
    join: { task, topology, form: FORM },
    weights,
    heard,
    behaviour,
    command(command) {
      for (const { writer } of workers) writer.write(command).catch(() => {});
    },
    publish(term, version, chunks = layout.chunks.map(({ index }) => index)) {
      for (const chunk of chunks) {
        published.set(chunk, { term, version });
        for (const writer of watchers.keys()) sendChunk(writer, chunk, term, version);
      }
    },
    dropWorkers() {
      for (const { drop } of workers) drop();
    },
    until(condition, what) {
      return new Promise((resolve, reject) => {
        const check = (): void => {
          if (!condition()) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(
            new Error(
              `waited ${DEADLINE_MS / 1000} s without success until ${what}; received ${JSON.stringify(heard.reports)}`,
            ),
          );
        }, DEADLINE_MS);
        waiting.add(check);
        check();
      });
    },
    async close() {
      await Promise.all(servers.map((server) => server.shutdown(0)));
    },
  };
}

/** A lease of leaves [lo, hi) of a step of four micro-batches. */
export function leaseOf(step: number, lo: number, hi: number, term = 1): MicroBatchLease {
  return {
    lease: 100 * step + lo,
    term,
    step,
    firstMicroBatch: 4 * step,
    microBatches: 4,
    lo,
    hi,
    leafCoefficients1: [],
    leafCoefficients2: [],
    mac: Buffer.from(`${term} ${step} ${lo} ${hi}`),
  };
}
