/**
 * A whole server in this process, and workers that compute nothing: their gradients are made up from the number of the
 * micro-batch, so that such a run has bits that are known from another such run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Layout, layoutFromJson } from "../shared/layout/index.js";
import { createLog } from "../shared/log.js";
import { version } from "../shared/version.js";
import {
  type Address,
  type Connection,
  call,
  checksumFor,
  connect,
  coordinatorService,
  createWriter,
  fromStatus,
  type JoinRequest,
  type JoinResponse,
  type MicroBatchLease,
  type PushMessage,
  type PushResult,
  parseAddress,
  readMessages,
  type WorkerReportMessage,
} from "../shared/wire/index.js";
import { loadTask, type Task } from "../tasks/index.js";
import { type RunningServer, type ServerOptions, startServer } from "./index.js";

export const TOKEN = "isobatch_for-tests";
export const OBSERVER_TOKEN = "isobatch_sees-only";
export const KAPPA = 4;
const PLAIN = { encrypted: false };
export const CALL = { deadlineMs: 10_000 };

/** A few of the real images, and a model of three chunks. */
export function smallTask(steps: number, overrides: Parameters<typeof loadTask>[1] = {}): Promise<Task> {
  return loadTask("mnist", {
    model: {
      kind: "sequential",
      layers: [
        { layer: "Flatten", inputShape: [28, 28, 1] },
        { layer: "Dense", units: 10 },
      ],
    },
    dataset: { kind: "mnist", limit: 200, testLimit: 100 },
    microBatchSize: 8,
    microBatchesPerStep: KAPPA,
    evaluationBatchSize: 50,
    steps,
    ...overrides,
  });
}

/** A server on any free port, in a temporary folder by default. */
export async function serve(test: TestContext, options: Partial<ServerOptions> & { task: Task }): Promise<TestServer> {
  const out = options.out ?? temporaryFolder(test);
  const log: string[] = [];
  const server = await startServer({
    out,
    listen: { host: "127.0.0.1", port: 0 },
    shards: 1,
    tls: { kind: "none" },
    tokens: [
      { name: "test", role: "admin", token: TOKEN },
      { name: "observer", role: "observer", token: OBSERVER_TOKEN },
    ],
    workersAwaited: 1,
    awaitMs: 10_000,
    log: createLog({ level: "debug", pretty: false, write: (line) => log.push(line) }),
    spawnShard: () => {
      throw new Error("these tests have one shard");
    },
    ...options,
  });
  test.after(() => server.abort());
  return { ...server, out, log };
}

export interface TestServer extends RunningServer {
  readonly out: string;
  /** Its lines so far. */
  readonly log: readonly string[];
}

export function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-server-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "run");
}

export async function connectTo(test: TestContext, address: Address, token?: string): Promise<Connection> {
  const connection = await connect(address, { token, waitMs: 5_000 });
  test.after(() => connection.close());
  return connection;
}

export const joinRequest = (more: Partial<JoinRequest> = {}): JoinRequest => ({
  version,
  numerics: { backend: "made-up", version: "1", architecture: "none", flags: "" },
  host: "tester",
  processId: 1,
  computeThreads: 1,
  device: "",
  runId: "",
  ...more,
});

export interface MadeUpWorker {
  readonly joined: JoinResponse;
  /** Why the run has ended, as the server reported it. */
  readonly ended: Promise<string>;
  /** The leases it has been given so far. */
  readonly leases: readonly MicroBatchLease[];
  /** Says something on its own stream. */
  report(report: WorkerReportMessage): Promise<void>;
}

export interface MadeUpOptions {
  readonly request?: Partial<JoinRequest>;
  /** Default: TOKEN. */
  readonly token?: string;
  /** Called with each lease, before anything is done about it. */
  onLease?(lease: MicroBatchLease): Promise<void>;
  /** Whether it can have weights as of this term; default: any, of which it needs no more than their number. */
  holds?(term: number): boolean;
}

/** Joins, and carries out the server's commands until the run ends. */
export async function work(
  test: TestContext,
  address: Address,
  { request, token = TOKEN, onLease, holds = () => true }: MadeUpOptions = {},
): Promise<MadeUpWorker> {
  const connection = await connectTo(test, address, token);
  const joined = await call(connection.coordinator, coordinatorService.Join, joinRequest(request), CALL);
  const layout = layoutFromJson(joined.layoutJson);
  const stream = connection.coordinator.work();
  const writer = createWriter<WorkerReportMessage>(stream, { stallMs: 10_000, what: "The made-up worker's stream" });
  await writer.write({ attach: { workerId: joined.workerId } });
  const { port } = parseAddress(`localhost${joined.shards[0].address}`, "shard 0");
  const shard = await connectTo(test, { host: address.host, port }, token);
  const leases: MicroBatchLease[] = [];

  const followCommands = async (): Promise<string> => {
    for await (const command of readMessages(stream, { what: "The server" })) {
      if (command.term && holds(command.term.term)) await writer.write({ weightsHeld: command.term });
      if (command.evaluation) {
        const { term, version: weights, firstBatch, endBatch } = command.evaluation;
        const zeros = new Array<number>(endBatch - firstBatch).fill(0);
        const sums = { lossSums: zeros, correct: zeros, failed: "", transient: false };
        await writer.write({ evaluated: { term, version: weights, firstBatch, ...sums } });
      }
      if (command.lease) {
        leases.push(command.lease);
        await writer.write({ weightsHeld: { term: command.lease.term, version: command.lease.step } });
        await onLease?.(command.lease);
        await push(shard, leasePush(joined, layout, command.lease));
        await writer.write({ leaseComputed: { lease: command.lease.lease, computeMs: 1, samplesMs: 0 } });
      }
      if (command.ended) {
        writer.end();
        return command.ended.reason;
      }
    }
    throw new Error("the server ended the stream without a reason");
  };
  const ended = followCommands();
  ended.catch(() => {});
  return { joined, ended, leases, report: (report) => writer.write(report) };
}

/** All messages of a worker's push of a lease, one node per leaf. */
export function leasePush(
  { workerId, seal }: Pick<JoinResponse, "workerId" | "seal">,
  layout: Layout,
  lease: MicroBatchLease,
): PushMessage[] {
  const { lo, hi, firstMicroBatch } = lease;
  const losses = Array.from({ length: hi - lo }, (_, i) => 1 + ((firstMicroBatch + lo + i) % 7));
  const messages: PushMessage[] = [{ lease: { ...lease, workerId, seal, losses } }];
  for (let leaf = lo; leaf < hi; leaf++) {
    for (const { index, offset, length } of layout.chunks) {
      const n = firstMicroBatch + leaf;
      const g = Float32Array.from({ length }, (_, i) => (((n * 31 + (offset + i) * 7) % 13) - 6) / 8);
      const sums = Buffer.from(g.buffer);
      messages.push({ chunk: { lo: leaf, hi: leaf + 1, chunk: index, sums, checksum: checksumFor(PLAIN, [sums]) } });
    }
  }
  return messages;
}

export function push({ shard }: Pick<Connection, "shard">, messages: readonly PushMessage[]): Promise<PushResult> {
  return new Promise((resolve, reject) => {
    const stream = shard.pushSums((error, result) =>
      error ? reject(fromStatus(error, "The push")) : resolve(result!),
    );
    stream.on("error", () => {});
    for (const message of messages) stream.write(message);
    stream.end();
  });
}
