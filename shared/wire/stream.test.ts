import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ServerDuplexStream, ServerReadableStream, ServerWritableStream } from "@grpc/grpc-js";
import { IsobatchError } from "../errors.js";
import {
  CHUNK_PAYLOAD_BYTES_MAX,
  type Connection,
  checksumFor,
  connect,
  coordinatorService,
  createHandlers,
  createServer,
  createWriter,
  type PushMessage,
  type PushResult,
  readMessages,
  shardService,
  type WatchWeightsRequest,
  type WeightsChunk,
  type WorkerCommand,
  type WorkerReportMessage,
} from "./index.js";
import { sumsChunk, TAKEN, WATCH, weightsChunk } from "./messages/messages.test.helper.js";

type PushCall = ServerReadableStream<PushMessage, PushResult>;
type WatchCall = ServerWritableStream<WatchWeightsRequest, WeightsChunk>;

const CHUNK_BYTES = 512 * 1024;
const STREAM = { stallMs: 5_000, what: "the test's stream" };
/** Long enough for a stream of this machine to be at work, short enough to wait for. */
const STALL_MS = 150;

async function serve(
  test: TestContext,
  handlers: { push?: (call: PushCall) => Promise<PushResult>; watch?: (call: WatchCall) => Promise<void> },
): Promise<Connection & { bugs: unknown[] }> {
  const bugs: unknown[] = [];
  const { clientStream, serverStream } = createHandlers((error) => bugs.push(error));
  const server = createServer({});
  server.addService(shardService, {
    PushSums: clientStream<PushMessage, PushResult>(handlers.push ?? (() => TAKEN)),
    WatchWeights: serverStream<WatchWeightsRequest, WeightsChunk>(handlers.watch ?? (() => {})),
  });
  const connection = await connect(await server.listen({ host: "127.0.0.1", port: 0 }), { waitMs: 5_000 });
  test.after(() => {
    connection.close();
    return server.shutdown(0);
  });
  return { ...connection, bugs };
}

/** A tensor in shared memory that can be filled again and again. */
const sumOf = (bytes: Uint8Array): Buffer => checksumFor({ encrypted: false }, [bytes]);

function sharedBytes(length = CHUNK_BYTES): Buffer {
  return Buffer.from(new SharedArrayBuffer(length));
}

function openPush({ shard }: Connection, stallMs = STREAM.stallMs) {
  let settle!: (result: PushResult | Error) => void;
  const result = new Promise<PushResult | Error>((resolve) => {
    settle = resolve;
  });
  const call = shard.pushSums((error, answer) => settle(error ?? (answer as PushResult)));
  return { writer: createWriter(call, { ...STREAM, stallMs }), result };
}

/** Collects all garbage, which `--expose-gc` allows as well. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("globalThis.gc")();
}

describe("a call that has ended", { timeout: 60_000 }, () => {
  it("is released at once at both ends, however long its stall time", async (test) => {
    const CALLS = 20;
    const calls: WeakRef<object>[] = [];
    const patient = { ...STREAM, stallMs: 3_600_000 };
    const connection = await serve(test, {
      async push(call) {
        calls.push(new WeakRef(call));
        for await (const _ of readMessages(call, patient));
        return { ...TAKEN, accepted: 1 };
      },
      async watch(call) {
        calls.push(new WeakRef(call));
        await createWriter(call, patient).write(weightsChunk({ weights: Buffer.alloc(4) }));
      },
    });
    const push = async (): Promise<void> => {
      const { writer, result } = openPush(connection, patient.stallMs);
      calls.push(new WeakRef(writer));
      await writer.write({ chunk: sumsChunk({ chunk: 0, sums: Buffer.alloc(4) }) });
      writer.end();
      await result;
    };
    const watch = async (): Promise<void> => {
      const stream = connection.shard.watchWeights(WATCH);
      calls.push(new WeakRef(stream));
      for await (const _ of readMessages(stream, patient));
    };
    for (let call = 0; call < CALLS; call++) {
      await push();
      await watch();
    }
    // The newest ones may still be held by the connection.
    const deadline = performance.now() + 10_000;
    const held = (): number => calls.filter((call) => call.deref() !== undefined).length;
    for (let left = held(); left > CALLS / 2; left = held()) {
      assert.ok(performance.now() < deadline, `${left} of ${calls.length} are still in memory`);
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
    }
  });
});

describe("createWriter()", { timeout: 60_000 }, () => {
  it("lets a client's memory change as soon as a write has resolved", async (test) => {
    const connection = await serve(test, {
      async push(call) {
        let accepted = 0;
        for await (const { chunk } of readMessages(call, STREAM)) {
          if (chunk && sumOf(chunk.sums).equals(chunk.checksum)) accepted++;
        }
        return { ...TAKEN, accepted };
      },
    });
    const { writer, result } = openPush(connection);
    const sums = sharedBytes();
    for (let chunk = 0; chunk < 40; chunk++) {
      sums.fill(chunk + 1);
      await writer.write({ chunk: sumsChunk({ chunk, checksum: sumOf(sums), sums }) });
    }
    sums.fill(0);
    writer.end();
    assert.deepEqual(await result, { accepted: 40, dropped: 0 });
  });

  it("lets a server's memory change as soon as a write has resolved", async (test) => {
    const { shard } = await serve(test, {
      async watch(call) {
        const writer = createWriter(call, STREAM);
        const weights = sharedBytes();
        for (let chunk = 0; chunk < 40; chunk++) {
          weights.fill(chunk + 1);
          await writer.write(weightsChunk({ chunk, checksum: sumOf(weights), weights }));
        }
        weights.fill(0);
      },
    });
    let whole = 0;
    for await (const chunk of readMessages(shard.watchWeights(WATCH), STREAM)) {
      if (sumOf(chunk.weights).equals(chunk.checksum)) whole++;
    }
    assert.equal(whole, 40);
  });

  it("cancels a client's call to a server that reads nothing, and says so", async (test) => {
    const connection = await serve(test, {
      push: (call) => once(call, "cancelled").then(() => TAKEN),
    });
    const { writer, result } = openPush(connection, STALL_MS);
    await assert.rejects(
      writeForEver(writer, (sums) => ({ chunk: sumsChunk({ sums }) })),
      {
        code: "unavailable",
        message: "the test's stream made no progress for 0.15 s.",
      },
    );
    assert.ok((await result) instanceof Error);
  });

  it("cancels a server's call to a client that stops reading", async (test) => {
    let stalled!: (reason: unknown) => void;
    const failure = new Promise<unknown>((resolve) => {
      stalled = resolve;
    });
    const { shard, bugs } = await serve(test, {
      async watch(call) {
        const writer = createWriter(call, { ...STREAM, stallMs: STALL_MS });
        await writeForEver(writer, (weights) => weightsChunk({ weights })).catch(stalled);
      },
    });
    // A client of grpc-js holds its stream back from the first read on; one that never reads takes all that comes.
    const reading = readMessages(shard.watchWeights(WATCH), STREAM);
    await reading.next();
    assert.match(String(await failure), /the test's stream made no progress for 0\.15 s/);
    await assert.rejects(
      async () => {
        for await (const _ of reading);
      },
      { code: "unavailable", message: "the test's stream was cut off." },
    );
    assert.deepEqual(bugs, []);
  });

  it("rejects what is pending, and every later write, with the server's own sentence", async (test) => {
    const connection = await serve(test, {
      async push(call) {
        await once(call, "data");
        throw new IsobatchError("refused", "term 3 is over; the run is at term 4.");
      },
    });
    const { writer, result } = openPush(connection);
    const refusal = { code: "refused", message: "term 3 is over; the run is at term 4." };
    await assert.rejects(
      writeForEver(writer, (sums) => ({ chunk: sumsChunk({ sums }) })),
      refusal,
    );
    await assert.rejects(writer.write({}), refusal);
    assert.equal(writer.ended.aborted, true);
    assert.match(String(await result), /term 3 is over/);
  });

  it("rejects when the connection is closed", async (test) => {
    const connection = await serve(test, { push: (call) => once(call, "cancelled").then(() => TAKEN) });
    const { writer } = openPush(connection);
    const writing = writeForEver(writer, (sums) => ({ chunk: sumsChunk({ sums }) }));
    connection.shard.getChannel().close();
    await assert.rejects(writing, IsobatchError);
  });

  it("rejects a message above the limit, on both sides", async (test) => {
    const connection = await serve(test, {
      async push(call) {
        for await (const _ of readMessages(call, STREAM));
        return TAKEN;
      },
    });
    const { writer } = openPush(connection);
    const sums = sharedBytes(CHUNK_PAYLOAD_BYTES_MAX + 128 * 1024);
    await assert.rejects(writer.write({ chunk: sumsChunk({ sums }) }), { code: "exhausted" });
    const largest = openPush(connection);
    await largest.writer.write({ chunk: sumsChunk({ sums: sums.subarray(0, CHUNK_PAYLOAD_BYTES_MAX) }) });
    largest.writer.end();
    assert.deepEqual(await largest.result, { accepted: 0, dropped: 0 });
  });
});

describe("readMessages()", { timeout: 60_000 }, () => {
  it("ends the call when its reader leaves early", async (test) => {
    let cancelled: Promise<unknown> = Promise.resolve();
    const { shard } = await serve(test, {
      async watch(call) {
        cancelled = once(call, "cancelled");
        const writer = createWriter(call, STREAM);
        await assert.rejects(
          writeForEver(writer, (weights) => weightsChunk({ weights })),
          { code: "unavailable" },
        );
      },
    });
    for await (const _ of readMessages(shard.watchWeights(WATCH), STREAM)) break;
    await cancelled;
  });

  it("leaves the end of a server's call to its handler, whose reason reaches a client that is still sending", async (test) => {
    const connection = await serve(test, {
      async push(call) {
        for await (const _ of readMessages(call, STREAM)) throw new IsobatchError("refused", "Step 4 is not open.");
        return TAKEN;
      },
    });
    const { writer, result } = openPush(connection);
    await assert.rejects(
      writeForEver(writer, (sums) => ({ chunk: sumsChunk({ sums }) })),
      { code: "refused", message: "Step 4 is not open." },
    );
    assert.match(String(await result), /Step 4 is not open\./);
  });

  it("gives up on a sender that sends nothing", async (test) => {
    const { shard } = await serve(test, { watch: (call) => once(call, "cancelled").then(() => {}) });
    await assert.rejects(drain(shard.watchWeights(WATCH), { ...STREAM, stallMs: STALL_MS }), {
      code: "unavailable",
      message: "the test's stream sent nothing for 0.15 s.",
    });
  });

  it("leaves a slow reader as much time as it wants", async (test) => {
    const { shard } = await serve(test, {
      async watch(call) {
        const writer = createWriter(call, STREAM);
        for (let chunk = 0; chunk < 3; chunk++) await writer.write(weightsChunk({ chunk }));
      },
    });
    let read = 0;
    for await (const _ of readMessages(shard.watchWeights(WATCH), { ...STREAM, stallMs: 40 })) {
      const from = performance.now();
      while (performance.now() < from + 60) await new Promise((resolve) => setImmediate(resolve));
      read++;
    }
    assert.equal(read, 3);
  });

  it("passes the server's error on, after what came before it", async (test) => {
    const { shard } = await serve(test, {
      async watch(call) {
        await createWriter(call, STREAM).write(weightsChunk({ version: 5 }));
        throw new IsobatchError("damaged", "checkpoint 5 is damaged.");
      },
    });
    const versions: number[] = [];
    await assert.rejects(
      async () => {
        for await (const { version } of readMessages(shard.watchWeights(WATCH), STREAM)) {
          versions.push(version as number);
        }
      },
      { code: "damaged", message: "checkpoint 5 is damaged." },
    );
    assert.deepEqual(versions, [5]);
  });

  it("stops when its signal is aborted", async (test) => {
    const { shard } = await serve(test, { watch: (call) => once(call, "cancelled").then(() => {}) });
    const abort = new AbortController();
    const reading = drain(shard.watchWeights(WATCH), { ...STREAM, signal: abort.signal });
    abort.abort();
    await assert.rejects(reading, { code: "interrupted" });
  });

  it("refuses a message that is damaged, and the process lives on", async (test) => {
    const { shard } = await serve(test, {
      async watch(call) {
        // Larger than any number that is sent: the reader must refuse it.
        await createWriter(call, STREAM).write(weightsChunk({ version: 2 ** 60 }));
      },
    });
    await assert.rejects(drain(shard.watchWeights(WATCH), STREAM), IsobatchError);
  });
});

describe("createHandlers()", { timeout: 60_000 }, () => {
  it("ends a bidirectional call when the client has ended its side and the handler is done", async (test) => {
    const { bidi } = createHandlers(assert.ifError);
    const server = createServer({});
    test.after(() => server.shutdown(0));
    const work = async (call: ServerDuplexStream<WorkerReportMessage, WorkerCommand>): Promise<void> => {
      for await (const _ of readMessages(call, STREAM));
    };
    server.addService(coordinatorService, { Work: bidi(work) });
    const { coordinator, close } = await connect(await server.listen({ host: "127.0.0.1", port: 0 }), {
      waitMs: 5_000,
    });
    test.after(close);
    const call = coordinator.work();
    const writer = createWriter<WorkerReportMessage>(call, STREAM);
    await writer.write({ heartbeat: {} });
    writer.end();
    await drain(call, STREAM);
  });

  it("reports a bug to the server, and to the client only that it failed", async (test) => {
    const connection = await serve(test, {
      push: () => Promise.reject(new TypeError("undefined is not a chunk")),
    });
    const { result } = openPush(connection);
    assert.match(String(await result), /13 INTERNAL/);
    assert.match(String(connection.bugs), /undefined is not a chunk/);
  });
});

async function drain(...[stream, options]: Parameters<typeof readMessages>): Promise<void> {
  for await (const _ of readMessages(stream, options));
}

async function writeForEver<Message>(
  writer: { write(message: Message): Promise<void> },
  message: (bytes: Buffer) => Message,
): Promise<never> {
  const bytes = sharedBytes();
  for (;;) await writer.write(message(bytes));
}
