import assert from "node:assert/strict";
import type { ServerHttp2Session } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import type { ServerWritableStream } from "@grpc/grpc-js";
import {
  type Connection,
  call,
  connect,
  coordinatorService,
  createHandlers,
  createServer,
  createWriter,
  readMessages,
  shardService,
  type WatchWeightsRequest,
  type WeightsChunk,
  type WireServer,
} from "./index.js";
import { type Link, type LinkConnection, openLink } from "./link.test.helper.js";
import { statusMessage, WATCH, weightsChunk } from "./messages/messages.test.helper.js";

type WatchCall = ServerWritableStream<WatchWeightsRequest, WeightsChunk>;

/** It is counted in turns of the event loop, in each of which something may be read: a slow machine does no harm. */
const SILENCE_MS = 200;
/** The silence for the side that a test is not about. */
const NEVER_MS = 1e9;
const DEADLINE = { deadlineMs: 20_000 };
const CHUNK = Buffer.alloc(512 * 1024);

interface Scene {
  readonly server: WireServer;
  readonly link: Link;
  readonly connection: Connection;
}

/** A server and a client, with a link between them. */
async function meet(
  test: TestContext,
  { clientMs = NEVER_MS, serverMs = NEVER_MS, watch = async (_call: WatchCall): Promise<void> => {} },
): Promise<Scene> {
  const { serverStream, unary } = createHandlers((error) => {
    throw error;
  });
  const server = createServer({ limits: { silenceMs: serverMs } });
  server.addService(coordinatorService, { GetStatus: unary(() => statusMessage({ phase: "running" })) });
  server.addService(shardService, { WatchWeights: serverStream<WatchWeightsRequest, WeightsChunk>(watch) });
  const link = await openLink({ target: await server.listen({ host: "127.0.0.1", port: 0 }) });
  const connection = await connect(link.address, { waitMs: 5_000, silenceMs: clientMs });
  test.after(async () => {
    connection.close();
    await link.close();
    await server.shutdown(0);
  });
  return { server, link, connection };
}

const phaseOf = async ({ coordinator }: Connection): Promise<string> =>
  (await call(coordinator, coordinatorService.GetStatus, {}, DEADLINE)).phase;

/** Writes for as long as the call lasts. */
async function writeForEver(call: WatchCall): Promise<void> {
  const writer = createWriter(call, { stallMs: NEVER_MS, what: "the weights" });
  for (let chunk = 0; !writer.ended.aborted; chunk++)
    await writer.write(weightsChunk({ chunk, weights: CHUNK })).catch(() => {});
}

/** The HTTP/2 session of a server's call, which grpc-js keeps to itself. */
function sessionOf(call: object): ServerHttp2Session {
  let inner = (call as { call?: Inner }).call;
  while (inner?.nextCall) inner = inner.nextCall;
  return inner!.stream!.session;
}
interface Inner {
  nextCall?: Inner;
  stream?: { session: ServerHttp2Session };
}

/** Waits until a call over the connection is answered again. */
async function comesBack(connection: Connection): Promise<void> {
  for (const end = performance.now() + 20_000; ; ) {
    try {
      await phaseOf(connection);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** What the session has written and the kernel has not taken. */
function queuedBytes({ socket }: ServerHttp2Session): number {
  return (socket as unknown as { _handle: { writeQueueSize: number } })._handle.writeQueueSize;
}

function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `within 20 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a connection", { timeout: 60_000 }, () => {
  it("is given up by the client whose server can't be heard any more", async (test) => {
    const { link, connection } = await meet(test, { clientMs: SILENCE_MS, watch: () => new Promise(() => {}) });
    const watching = readMessages(connection.shard.watchWeights(WATCH), { what: "the weights" }).next();
    link.connections[0].stall("down");
    await assert.rejects(watching, { code: "unavailable" });
    await comesBack(connection);
  });

  it("is given up by the server whose client can't be heard any more", async (test) => {
    let gone = false;
    const { link, connection } = await meet(test, {
      serverMs: SILENCE_MS,
      async watch(call) {
        await new Promise<void>((resolve) => call.once("cancelled", resolve));
        gone = true;
      },
    });
    connection.shard.watchWeights(WATCH).on("error", () => {});
    assert.equal(await phaseOf(connection), "running");
    link.connections[0].stall("up");
    await until(() => gone, "the server has given the call up");
  });

  it("is made again by a client that was accepted and then received nothing", async (test) => {
    const { link, connection } = await meet(test, { clientMs: SILENCE_MS });
    link.behaviour.onConnection = (made) => {
      if (link.connections.length === 2) made.stall();
    };
    link.connections[0].cut();
    await comesBack(connection);
    assert.equal(link.connections.length, 3);
  });

  it("is kept while bytes move, however long the answer to a PING waits behind them", async (test) => {
    const chunks = 20;
    const { link, connection } = await meet(test, {
      clientMs: SILENCE_MS,
      serverMs: SILENCE_MS,
      async watch(call) {
        const writer = createWriter(call, { stallMs: NEVER_MS, what: "the weights" });
        for (let chunk = 0; chunk < chunks; chunk++) await writer.write(weightsChunk({ chunk, weights: CHUNK }));
      },
    });
    // What the server queues at once, its window of 8 MiB, takes several silences.
    link.connections[0].slowDown((8 * 1024 * 1024) / (3 * SILENCE_MS * 1e-3));
    let came = 0;
    for await (const { chunk } of readMessages(connection.shard.watchWeights(WATCH), { what: "the weights" })) {
      assert.equal(chunk, came++);
    }
    assert.equal(came, chunks);
    assert.equal(link.connections.length, 1);
  });

  it("is kept while nobody has anything to say, for several silences", async (test) => {
    const watch = () => new Promise<void>(() => {});
    const { link, connection } = await meet(test, { clientMs: SILENCE_MS, serverMs: SILENCE_MS, watch });
    connection.shard.watchWeights(WATCH).on("error", () => {});
    assert.equal(await phaseOf(connection), "running");
    const [between] = link.connections;
    const { bytes } = between;
    // Both sides send a frame of 17 bytes about thrice in a silence, and answer the other's with as many.
    await until(() => between.closed || between.bytes > bytes + 17 * 40, "PINGs in three silences");
    assert.equal(await phaseOf(connection), "running");
    assert.deepEqual([between.closed, link.connections.length], [false, 1]);
  });

  it("outlives a process that is suspended", async (test) => {
    const { link, connection } = await meet(test, { clientMs: SILENCE_MS, serverMs: SILENCE_MS });
    for (let i = 0; i < 2; i++) {
      standStill(1.5 * SILENCE_MS);
      assert.equal(await phaseOf(connection), "running");
    }
    assert.equal(link.connections.length, 1);
  });
});

describe("a session that is destroyed while a write is pending", { timeout: 60_000, concurrency: true }, () => {
  /** Resolves when the server has destroyed the session of a client that reads nothing. */
  async function destroyed(test: TestContext): Promise<Scene & { closed: Promise<void> }> {
    let call: WatchCall | undefined;
    let stalled: LinkConnection | undefined;
    const scene = await meet(test, {
      serverMs: 20_000,
      watch(watching) {
        call = watching;
        return writeForEver(watching);
      },
    });
    const { link, connection } = scene;
    connection.shard.watchWeights(WATCH).on("error", () => {});
    const [between] = link.connections;
    between.onBytes(1024 * 1024, () => {
      between.stall();
      stalled = between;
    });
    await until(() => stalled !== undefined, "the link is stalled");
    const session = sessionOf(call!);
    // Until the kernel takes no more bytes, which is when the session has a write to wait for.
    let [queued, still] = [0, 0];
    await until(() => {
      const before = queued;
      queued = queuedBytes(session);
      still = queued > 0 && queued === before ? still + 1 : 0;
      return still === 100;
    }, "a write is pending");
    let isClosed = false;
    const closed = new Promise<void>((resolve) =>
      session.once("close", () => {
        isClosed = true;
        resolve();
      }),
    );
    session.destroy();
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isClosed, false, "the session closed by itself, so that this shows nothing");
    return { ...scene, closed };
  }

  it("does not hold up the server's end", async (test) => {
    const { server } = await destroyed(test);
    await server.shutdown(10);
  });

  it("releases its socket", async (test) => {
    const { closed } = await destroyed(test);
    await closed;
  });
});
