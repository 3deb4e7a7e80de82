import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settings } from "../../backends/settings.test.helper.js";
import { type RunningServer, type ServerOptions, type Summary, startServer, startShard } from "../../server/index.js";
import { type LedgerLine, readJsonLines } from "../../server/record/index.js";
import { createToken } from "../../shared/credentials/index.js";
import { createLog } from "../../shared/log.js";
import type { Task } from "../../tasks/index.js";
import { type GradientFlip, type RunningWorker, startWorker, type WorkerOptions } from "../../worker/index.js";

/**
 * A whole cluster in this process: real servers, real workers with their compute threads, real gRPC over loopback.
 * What needs separate processes, like `kill -9`, is tested through the command line.
 */
export interface ClusterOptions {
  readonly task: Task;
  readonly workers?: number;
  readonly shards?: number;
  readonly computeThreads?: number;
  readonly flip?: GradientFlip;
  readonly out?: string;
  /** What shows the run. */
  readonly observers?: ServerOptions["observers"];
  /** The run directory whose κ is replayed step by step. */
  readonly replayKappa?: string;
  /** With one shard only. */
  readonly encrypted?: boolean;
  /** How the server shares memory with workers. */
  readonly memory?: ServerOptions["memory"];
  /** The same for each of the first workers; the others use the wire. */
  readonly workersMemory?: readonly WorkerOptions["memory"][];
}

export interface Cluster {
  readonly server: RunningServer;
  readonly out: string;
  readonly token: string;
  join(): Promise<RunningWorker>;
}

export const quiet = createLog({ level: process.env.ISOBATCH_TEST_LOG ?? "silent", pretty: false });

/** Calls `use` with a cluster, and ends all of it afterwards. */
export async function withCluster<T>(options: ClusterOptions, use: (cluster: Cluster) => Promise<T>): Promise<T> {
  const { task, workers = 1, shards = 1, computeThreads = 1 } = options;
  const folder = mkdtempSync(join(tmpdir(), "isobatch-cluster-"));
  const out = options.out ?? join(folder, "run");
  const token = createToken();
  const server = await startServer({
    task,
    out,
    listen: { host: "127.0.0.1", port: 0 },
    shards,
    tls: options.encrypted ? { kind: "own", names: ["127.0.0.1"] } : { kind: "none" },
    memory: options.memory,
    tokens: [{ name: "test", role: "worker", token }],
    workersAwaited: workers,
    awaitMs: 60_000,
    observers: options.observers,
    replayKappa: options.replayKappa,
    log: quiet,
    spawnShard(place) {
      const starting = startShard({ ...place, out, memory: options.memory, log: quiet });
      const exited = starting
        .then((shard) => shard.finished)
        .then(
          () => "it ended",
          (error: unknown) => String(error),
        );
      return { exited, kill: () => void starting.then((shard) => shard.abort()).catch(() => {}) };
    },
  });
  const joined: RunningWorker[] = [];
  let started = 0;
  const cluster: Cluster = {
    server,
    out,
    token,
    async join() {
      const worker = await startWorker({
        address: server.address,
        token: options.encrypted ? server.security.passFor("cluster", "worker") : token,
        memory: options.workersMemory?.[started++],
        backend: "wasm",
        backendSettings: settings,
        computeThreads,
        connectWaitMs: 10_000,
        reconnectWaitMs: 10_000,
        log: quiet,
        flip: options.flip,
      });
      joined.push(worker);
      return worker;
    },
  };
  try {
    await Promise.all(Array.from({ length: workers }, () => cluster.join()));
    return await use(cluster);
  } finally {
    await server.abort();
    await Promise.all(joined.map((worker) => worker.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface RunResult {
  readonly summary: Summary;
  readonly ledger: readonly LedgerLine[];
}

/** Runs the task to its end. */
export function runCluster(options: ClusterOptions): Promise<RunResult> {
  return withCluster(options, async ({ server, out }) => {
    const { summary } = await server.finished;
    return { summary, ledger: readLedger(out) };
  });
}

export function readLedger(out: string): LedgerLine[] {
  return [...readJsonLines<LedgerLine>(join(out, "ledger.jsonl"))];
}

export function readSummary(out: string): Summary {
  return JSON.parse(readFileSync(join(out, "summary.json"), "utf8"));
}
