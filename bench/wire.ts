import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net, { type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ensureServerCertificate } from "../server/index.js";
import { createKernelMemory } from "../shared/kernels/index.js";
import {
  type Address,
  type Connection,
  connect,
  createHandlers,
  createServer,
  createTrust,
  createWriter,
  type Frame,
  frameOfSums,
  frameOfWeights,
  giveBackMemory,
  isEncrypted,
  type MessageWriter,
  type PushMessage,
  type PushResult,
  readMessages,
  shardService,
  verifyChecksum,
  type WeightsChunk,
} from "../shared/wire/index.js";
import { answerOf } from "./child-answer.js";
import { median } from "./statistics.js";

/**
 * How fast chunks travel between two processes of this machine, through the real services, serialisers, options and
 * checksums, from shared memory into place in shared memory; in turns with it, in the same run, a raw TCP connection with
 * the same copy into place. The goals: 45 % of TCP each way, with TLS 80 % of the rate without, and at most 5 % of either
 * process's time in the garbage collector.
 */
export interface WireScenario {
  readonly scenario: "wire";
  readonly chunkKiB: number;
  readonly rounds: number;
  readonly goals: { readonly shareOfTcp: number; readonly tlsShareOfPlain: number; readonly gcShare: number };
  /** Medians over the rounds of this way's rate divided by the other's in the same round. */
  readonly pushShareOfTcp: number;
  readonly pullShareOfTcp: number;
  readonly pushTlsShareOfPlain: number;
  readonly pullTlsShareOfPlain: number;
  readonly ways: Record<Way, WaySummary>;
}

type Way = "tcp" | "push" | "pull" | "pushTls" | "pullTls";

/** Medians over the rounds. */
interface WaySummary {
  readonly MBPerSecond: number;
  /** CPU time of the worker's and the server's process: it drifts less than the rate under other load. */
  readonly workerCpuMsPerGB: number;
  readonly serverCpuMsPerGB: number;
  /** The share of the transfer's time in the garbage collector. */
  readonly workerGcShare: number;
  readonly serverGcShare: number;
}

/** One transfer. */
interface Transfer {
  readonly ms: number;
  readonly worker: Usage;
  readonly server: Usage;
}

const CHUNK_BYTES = 512 * 1024;
const CHUNKS = 256;
const ROUNDS = 9;
const STREAM = { stallMs: 10_000, what: "the benchmark's stream" };

export async function wireScenario(): Promise<WireScenario> {
  const server = fork(fileURLToPath(import.meta.url), ["server"]);
  const client = fork(fileURLToPath(import.meta.url), ["client"]);
  const own = (child: ChildProcess): Promise<Usage> => {
    const answer = answerOf<Usage>(child);
    child.send("usage");
    return answer;
  };
  try {
    client.send(await answerOf<Ports>(server));
    await answerOf(client);
    const transfers: Record<Way, Transfer[]> = { tcp: [], push: [], pull: [], pushTls: [], pullTls: [] };
    for (let round = -1; round < ROUNDS; round++) {
      for (const way of Object.keys(transfers) as Way[]) {
        await Promise.all([own(client), own(server)]);
        const done = answerOf<number>(client);
        client.send(way);
        const ms = await done;
        const [worker, serving] = await Promise.all([own(client), own(server)]);
        if (round >= 0) transfers[way].push({ ms, worker, server: serving });
      }
    }
    return summary(transfers);
  } finally {
    client.kill();
    server.kill();
  }
}

function summary(transfers: Record<Way, Transfer[]>): WireScenario {
  const share = (way: Way, of: Way): number =>
    median(transfers[way].map(({ ms }, round) => transfers[of][round].ms / ms));
  const bytes = CHUNKS * CHUNK_BYTES;
  const ways = Object.entries(transfers).map(([way, each]): [string, WaySummary] => [
    way,
    {
      MBPerSecond: median(each.map(({ ms }) => bytes / 1_000 / ms)),
      workerCpuMsPerGB: median(each.map(({ worker }) => (worker.cpuMs / bytes) * 1e9)),
      serverCpuMsPerGB: median(each.map(({ server }) => (server.cpuMs / bytes) * 1e9)),
      workerGcShare: median(each.map(({ worker, ms }) => worker.gcMs / ms)),
      serverGcShare: median(each.map(({ server, ms }) => server.gcMs / ms)),
    },
  ]);
  return {
    scenario: "wire",
    chunkKiB: CHUNK_BYTES / 1024,
    rounds: ROUNDS,
    goals: { shareOfTcp: 0.45, tlsShareOfPlain: 0.8, gcShare: 0.05 },
    pushShareOfTcp: share("push", "tcp"),
    pullShareOfTcp: share("pull", "tcp"),
    pushTlsShareOfPlain: share("pushTls", "push"),
    pullTlsShareOfPlain: share("pullTls", "pull"),
    ways: Object.fromEntries(ways) as WireScenario["ways"],
  };
}

/** What a process has used since the last time. */
interface Usage {
  readonly cpuMs: number;
  readonly gcMs: number;
}

function usageMeter(): () => Promise<Usage> {
  let gcMs = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs += duration;
  }).observe({ entryTypes: ["gc"] });
  let before = process.cpuUsage();
  return async () => {
    // The observer is called one turn after a collection.
    await setTimeout(5);
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    const usage = { cpuMs: (user + system) / 1_000, gcMs };
    gcMs = 0;
    return usage;
  };
}

interface Ports {
  readonly grpc: Address;
  readonly tls: Address;
  /** PEM. */
  readonly certificate: string;
  readonly tcp: number;
}

// ---- The server's process ---------------------------------------------------------------------------------

async function serve(): Promise<void> {
  const chunks = sharedChunks();
  const { clientStream, serverStream } = createHandlers((error) => {
    throw error;
  });
  const folder = mkdtempSync(join(tmpdir(), "isobatch-bench-"));
  const { key, cert } = await ensureServerCertificate(folder, ["127.0.0.1"], Date.now());
  rmSync(folder, { recursive: true });
  const server = createServer({ tls: { key, cert } });
  server.addService(shardService, {
    PushSums: clientStream<PushMessage, PushResult>(async (call) => {
      let accepted = 0;
      const connection = { encrypted: isEncrypted(call) };
      for await (const { chunk } of readMessages(call, STREAM)) {
        if (!chunk) continue;
        verifyChecksum(connection, [chunk.sums], chunk.checksum, "a chunk");
        chunks[chunk.chunk].set(chunk.sums);
        giveBackMemory(chunk.sums);
        accepted++;
      }
      return { accepted, dropped: 0 };
    }),
    WatchWeights: serverStream<object, WeightsChunk>(async (call) => {
      const writer = createWriter<WeightsChunk | Frame>(call, STREAM);
      const connection = { encrypted: isEncrypted(call) };
      for (let chunk = 0; chunk < CHUNKS; chunk++) {
        await send(writer, frameOfWeights({ term: 1, version: 1, chunk, weights: chunks[chunk] }, connection));
      }
    }),
  });
  const tcp = net.createServer((socket) => {
    receive(socket).then(() => socket.end("done"));
  });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  const grpc = await server.listen({ host: "127.0.0.1", port: 0 }, "plain");
  const tls = await server.listen({ host: "127.0.0.1", port: 0 });
  const ports: Ports = { grpc, tls, certificate: cert, tcp: (tcp.address() as AddressInfo).port };
  process.send?.(ports);

  function receive(socket: Socket): Promise<void> {
    const memory = chunks[0].buffer;
    const place = new Uint8Array(memory, 0, CHUNKS * CHUNK_BYTES);
    return new Promise((resolve) => {
      let at = 0;
      socket.on("data", (bytes) => {
        place.set(bytes as Buffer, at);
        at += bytes.length;
        if (at === place.length) resolve();
      });
    });
  }
}

// ---- The client's process ---------------------------------------------------------------------------------

/** Each way of moving all chunks once. */
async function openWays({ grpc, tls, certificate, tcp }: Ports): Promise<Record<Way, () => Promise<void>>> {
  const chunks = sharedChunks();
  const plain = await connect(grpc, { waitMs: 5_000 });
  const encrypted = await connect(tls, { trust: createTrust({ ca: certificate }), waitMs: 5_000 });
  return {
    tcp: () => sendRaw(tcp, chunks),
    push: () => push(plain, chunks),
    pull: () => pull(plain, chunks),
    pushTls: () => push(encrypted, chunks),
    pullTls: () => pull(encrypted, chunks),
  };
}

async function push(connection: Connection, chunks: Uint8Array[]): Promise<void> {
  const { promise, resolve, reject } = withResolvers();
  const call = connection.shard.pushSums((error) => (error ? reject(error) : resolve()));
  const writer = createWriter<PushMessage | Frame>(call, STREAM);
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    await send(writer, frameOfSums({ lo: 0, hi: 1, chunk, sums: chunks[chunk] }, connection));
  }
  writer.end();
  await promise;
}

async function send(writer: MessageWriter<Frame>, frame: Frame): Promise<void> {
  try {
    await writer.write(frame);
  } finally {
    frame.release();
  }
}

async function pull(connection: Connection, chunks: Uint8Array[]): Promise<void> {
  for await (const chunk of readMessages(
    connection.shard.watchWeights({ workerId: "", term: 1, seal: Buffer.alloc(0) }),
    STREAM,
  )) {
    verifyChecksum(connection, [chunk.weights], chunk.checksum, "a chunk");
    chunks[chunk.chunk].set(chunk.weights);
    giveBackMemory(chunk.weights);
  }
}

async function sendRaw(port: number, chunks: Uint8Array[]): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const done = once(socket, "data");
  for (const chunk of chunks) {
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  await done;
  socket.destroy();
}

/** Views of one shared memory, as a worker and a shard have them. */
function sharedChunks(): Buffer[] {
  const { buffer } = createKernelMemory(CHUNKS * CHUNK_BYTES);
  new Float32Array(buffer).fill(0.001);
  return Array.from({ length: CHUNKS }, (_, i) => Buffer.from(buffer, i * CHUNK_BYTES, CHUNK_BYTES));
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

async function runServer(): Promise<void> {
  const usage = usageMeter();
  process.on("message", async () => process.send?.(await usage()));
  await serve();
}

function runClient(): void {
  const usage = usageMeter();
  let ways: Awaited<ReturnType<typeof openWays>> | undefined;
  process.on("message", async (message: Ports | Way | "usage") => {
    if (message === "usage") process.send?.(await usage());
    else if (typeof message === "object") {
      ways = await openWays(message);
      process.send?.("ready");
    } else {
      const start = performance.now();
      await ways![message]();
      process.send?.(performance.now() - start);
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role] = process.argv.slice(2);
  process.once("disconnect", () => process.exit());
  if (role === "server") await runServer();
  else if (role === "client") runClient();
  else console.log(JSON.stringify(await wireScenario()));
}
