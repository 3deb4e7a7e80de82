import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net, { type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureServerCertificate } from "../server/index.js";
import { createKernelMemory } from "../shared/kernels/index.js";
import {
  type Address,
  type Connection,
  checksumFor,
  connect,
  createHandlers,
  createServer,
  createTrust,
  createWriter,
  isEncrypted,
  type PushMessage__Output,
  readMessages,
  shardService,
  verifyChecksum,
  type WeightsChunk,
} from "../shared/wire/index.js";

/**
 * How fast chunks travel between two processes of this machine, through the real services, serialisers, options and
 * checksums, from shared memory into place in shared memory; beside it a raw TCP connection with the same copy into
 * place, in the same run, by turns. The goal is 45 % of TCP each way.
 */
export interface WireScenario {
  readonly scenario: "wire";
  readonly chunkKiB: number;
  /** Medians, in millions of bytes a second. */
  readonly pushMBPerSecond: number;
  readonly pullMBPerSecond: number;
  readonly tcpMBPerSecond: number;
  readonly pushShareOfTcp: number;
  readonly pullShareOfTcp: number;
  readonly goalShareOfTcp: number;
  /** The same with TLS. */
  readonly pushTlsMBPerSecond: number;
  readonly pullTlsMBPerSecond: number;
  /** Of what is reached without TLS, by turns in the same run. */
  readonly pushTlsShare: number;
  readonly pullTlsShare: number;
}

const CHUNK_BYTES = 512 * 1024;
const CHUNKS = 256;
const ROUNDS = 7;
const STREAM = { stallMs: 10_000, what: "the benchmark's stream" };
const GOAL = 0.45;

export async function wireScenario(): Promise<WireScenario> {
  const server = fork(fileURLToPath(import.meta.url), ["server"]);
  const client = fork(fileURLToPath(import.meta.url), ["client"]);
  try {
    const ports = await answerOf<Ports>(server);
    client.send(ports);
    const { push, pull, tcp, pushTls, pullTls } = await answerOf<Rates>(client);
    const [pushMBPerSecond, pullMBPerSecond, tcpMBPerSecond] = [push, pull, tcp].map(median);
    const [pushTlsMBPerSecond, pullTlsMBPerSecond] = [pushTls, pullTls].map(median);
    return {
      scenario: "wire",
      chunkKiB: CHUNK_BYTES / 1024,
      pushMBPerSecond,
      pullMBPerSecond,
      tcpMBPerSecond,
      pushShareOfTcp: round(median(push.map((rate, i) => rate / tcp[i])), 2),
      pullShareOfTcp: round(median(pull.map((rate, i) => rate / tcp[i])), 2),
      goalShareOfTcp: GOAL,
      pushTlsMBPerSecond,
      pullTlsMBPerSecond,
      pushTlsShare: round(median(pushTls.map((rate, i) => rate / push[i])), 2),
      pullTlsShare: round(median(pullTls.map((rate, i) => rate / pull[i])), 2),
    };
  } finally {
    client.kill();
    server.kill();
  }
}

type Rates = Record<"push" | "pull" | "tcp" | "pushTls" | "pullTls", number[]>;

interface Ports {
  readonly grpc: Address;
  readonly tls: Address;
  /** PEM. */
  readonly certificate: string;
  readonly tcp: number;
}

/** A process's first message; fails if it ends without one. */
async function answerOf<Message>(child: ChildProcess): Promise<Message> {
  const exited = once(child, "exit").then(([code]) => {
    throw new Error(`The benchmark's process ended with code ${code}.`);
  });
  const [message] = await Promise.race([once(child, "message"), exited]);
  return message as Message;
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
    PushSums: clientStream<PushMessage__Output, { accepted: number }>(async (call) => {
      let accepted = 0;
      const connection = { encrypted: isEncrypted(call) };
      for await (const { chunk } of readMessages(call, STREAM)) {
        if (!chunk) continue;
        verifyChecksum(connection, [chunk.sums], chunk.checksum, "a chunk");
        chunks[chunk.chunk].set(chunk.sums);
        accepted++;
      }
      return { accepted };
    }),
    WatchWeights: serverStream<object, WeightsChunk>(async (call) => {
      const writer = createWriter(call, STREAM);
      const connection = { encrypted: isEncrypted(call) };
      for (let chunk = 0; chunk < CHUNKS; chunk++) {
        const weights = chunks[chunk];
        const checksum = checksumFor(connection, [weights]);
        await writer.write({ epoch: 1, version: 1, chunk, weights, checksum });
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

async function measure({ grpc, tls, certificate, tcp }: Ports): Promise<Rates> {
  const chunks = sharedChunks();
  const connection = await connect(grpc, { waitMs: 5_000 });
  const encrypted = await connect(tls, { trust: createTrust({ ca: certificate }), waitMs: 5_000 });
  const rates: Rates = { push: [], pull: [], tcp: [], pushTls: [], pullTls: [] };
  for (let turn = -1; turn < ROUNDS; turn++) {
    for (const [name, run] of [
      ["tcp", () => sendRaw(tcp, chunks)],
      ["push", () => push(connection, chunks)],
      ["pull", () => pull(connection, chunks)],
      ["pushTls", () => push(encrypted, chunks)],
      ["pullTls", () => pull(encrypted, chunks)],
    ] as const) {
      const start = performance.now();
      await run();
      const rate = (CHUNKS * CHUNK_BYTES) / 1_000 / (performance.now() - start);
      if (turn >= 0) rates[name].push(rate);
    }
  }
  connection.close();
  encrypted.close();
  return rates;
}

async function push(connection: Connection, chunks: Uint8Array[]): Promise<void> {
  const { promise, resolve, reject } = withResolvers();
  const call = connection.shard.pushSums((error) => (error ? reject(error) : resolve()));
  const writer = createWriter(call, STREAM);
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const sums = chunks[chunk] as Buffer;
    await writer.write({ chunk: { lo: 0, hi: 1, chunk, sums, checksum: checksumFor(connection, [sums]) } });
  }
  writer.end();
  await promise;
}

async function pull(connection: Connection, chunks: Uint8Array[]): Promise<void> {
  for await (const chunk of readMessages(connection.shard.watchWeights({}), STREAM)) {
    verifyChecksum(connection, [chunk.weights], chunk.checksum, "a chunk");
    chunks[chunk.chunk].set(chunk.weights);
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

function median(values: number[]): number {
  return round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)], 2);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role] = process.argv.slice(2);
  process.once("disconnect", () => process.exit());
  if (role === "server") await serve();
  else if (role === "client") process.once("message", async (ports: Ports) => process.send?.(await measure(ports)));
  else console.log(JSON.stringify(await wireScenario()));
}
