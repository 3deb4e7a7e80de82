/** One run of null workers, and what its processes used between two points in time. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../../shared/wire/index.js";
import { answerOf, ended } from "../child-answer.js";
import type { LinkRate } from "../link/limited-link.js";
import type { LinkStart } from "../link/link-program.js";
import type { ServerReady, ServerStart, ServerUsage } from "./server-program.js";
import { scalingTask } from "./task.js";
import type { WorkersStart, WorkersUsage } from "./workers-program.js";

export interface ScalingCase {
  /** An approximate number, since the model consists of Dense layers. */
  readonly parameters: number;
  /** Each worker computes one micro-batch of every step. */
  readonly workers: number;
  readonly shards: number;
  /** Steps before the first one that counts; at least `steps` steps count. */
  readonly warmUpSteps: number;
  readonly steps: number;
  /** Micro-batches per step over all workers; one for each worker by default. */
  readonly microBatches?: number;
  /** How long a worker waits for each micro-batch, as if it computed. */
  readonly computeMs?: number;
  /** The link between the workers and the server. */
  readonly link?: LinkRate;
}

export interface ClusterUsage {
  readonly parameters: number;
  readonly workers: number;
  readonly shards: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  readonly leasesPerStep: number;
  /** CPU time per lease: of the coordinator's process, which includes shard 0, of the other shards, and of the workers. */
  readonly coordinatorMsPerLease: number;
  readonly shardsMsPerLease: number;
  readonly workersMsPerLease: number;
  /** Resident memory at the end: of the coordinator's process, then of the other shards. */
  readonly serverBytes: readonly number[];
  readonly workersBytes: number;
}

const LOOK_MS = 100;
/** If no step is committed for this long, something is wrong. */
const STALL_MS = 180_000;
/** A process of null workers is one thread; at most this many share it. */
const WORKERS_PER_PROCESS_MAX = 64;

export async function measureCluster(wanted: ScalingCase): Promise<ClusterUsage> {
  const { workers, shards, warmUpSteps, steps, computeMs = 0, link } = wanted;
  const folder = mkdtempSync(join(tmpdir(), "isobatch-bench-"));
  const children: ChildProcess[] = [];
  const start = (name: string, options: object): ChildProcess => {
    const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), [JSON.stringify(options)]);
    children.push(child);
    return child;
  };
  try {
    const { task, parameters } = scalingTask(wanted, folder);
    const server = start("server-program", { task, out: join(folder, "run"), shards, workers } satisfies ServerStart);
    const { address: served, token } = await answerOf<ServerReady>(server);
    const address = link === undefined ? served : await linked(served, link, start);
    const processes = Math.ceil(workers / WORKERS_PER_PROCESS_MAX);
    const joined = Array.from({ length: processes }, (_, i) => {
      const count = Math.floor(((i + 1) * workers) / processes) - Math.floor((i * workers) / processes);
      return start("workers-program", { address, token, count, computeMs } satisfies WorkersStart);
    });
    const look = (): Promise<Look> => lookAt(server, joined);
    const first = await seen(look, warmUpSteps);
    const last = await seen(look, first.server.steps + steps);
    return { parameters, workers, shards, ...between(first, last) };
  } finally {
    await Promise.all(children.map((child) => ended(child)));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** At the same port of another address of this machine, where workers then also find shard 0. */
async function linked(
  served: string,
  rate: LinkRate,
  start: (name: string, options: object) => ChildProcess,
): Promise<string> {
  const target = parseAddress(served, "the server's address");
  const listen = { host: "127.0.0.2", port: target.port };
  const child = start("../link/link-program", { ...rate, target, listen } satisfies LinkStart);
  return (await answerOf<{ address: string }>(child)).address;
}

interface Look {
  readonly server: ServerUsage;
  readonly workers: readonly WorkersUsage[];
}

async function lookAt(server: ChildProcess, workers: readonly ChildProcess[]): Promise<Look> {
  const ask = <Answer>(child: ChildProcess): Promise<Answer> => {
    child.send("usage");
    return answerOf<Answer>(child);
  };
  const [fromServer, ...fromWorkers] = await Promise.all([
    ask<ServerUsage>(server),
    ...workers.map((child) => ask<WorkersUsage>(child)),
  ]);
  return { server: fromServer, workers: fromWorkers };
}

/** The first look that sees at least `steps` steps; each look has its own limit. */
async function seen(look: () => Promise<Look>, steps: number): Promise<Look> {
  let furthest = { steps: -1, atMs: 0 };
  for (;;) {
    const now = await look();
    const nowMs = performance.now();
    if (now.server.steps >= steps) return now;
    if (now.server.steps > furthest.steps) furthest = { steps: now.server.steps, atMs: nowMs };
    if (nowMs - furthest.atMs > STALL_MS) {
      throw new Error(
        `The run has been at step ${furthest.steps} for ${STALL_MS / 1000} s and should have reached step ${steps}.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function between(first: Look, last: Look): Omit<ClusterUsage, "parameters" | "workers" | "shards"> {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const leases = sum(last.workers.map((each, i) => each.leases - first.workers[i].leases));
  const steps = last.server.steps - first.server.steps;
  const spent = (at: (look: Look) => readonly { readonly cpuMs: number }[]): number =>
    sum(at(last).map(({ cpuMs }, i) => cpuMs - at(first)[i].cpuMs)) / leases;
  return {
    steps,
    stepsPerSecond: (1000 * steps) / (last.server.coordinator.atMs - first.server.coordinator.atMs),
    leasesPerStep: leases / steps,
    coordinatorMsPerLease: spent(({ server }) => [server.coordinator]),
    shardsMsPerLease: spent(({ server }) => server.shards),
    workersMsPerLease: spent(({ workers }) => workers),
    serverBytes: [last.server.coordinator, ...last.server.shards].map(({ residentBytes }) => residentBytes),
    workersBytes: sum(last.workers.map(({ residentBytes }) => residentBytes)),
  };
}
