import type { TestContext } from "node:test";
import { settings } from "../backends/settings.test.helper.js";
import { type ComputePool, createComputePool, createWorkerMemory } from "../compute/index.js";
import { createLog } from "../shared/log.js";
import { type FakeServer, startFakeServer } from "./fake-server.test.helper.js";
import { type RunningWorker, startWorker, type WorkerOptions } from "./index.js";

export const BACKEND = "cpu";
const log = createLog({ level: process.env.LOG ?? "silent", pretty: false });

export function optionsFor(server: Pick<FakeServer, "address">, options: Partial<WorkerOptions> = {}): WorkerOptions {
  const { address } = server;
  return {
    address,
    backend: BACKEND,
    backendSettings: settings,
    computeThreads: 1,
    connectWaitMs: 5_000,
    reconnectWaitMs: 5_000,
    log,
    ...options,
  };
}

export async function serve(test: TestContext, fields?: Record<string, unknown>): Promise<FakeServer> {
  const server = await startFakeServer(fields);
  test.after(() => server.close());
  return server;
}

export async function work(
  test: TestContext,
  server: FakeServer,
  options?: Partial<WorkerOptions>,
): Promise<RunningWorker> {
  const worker = await startWorker(optionsFor(server, options));
  test.after(() => worker.stop());
  return worker;
}

/** Attached, and holding version 0 of term 1. */
export async function workAtStart(test: TestContext, server: FakeServer, options?: Partial<WorkerOptions>) {
  const worker = await work(test, server, options);
  server.command({ term: { term: 1, version: 0 } });
  server.publish(1, 0);
  await server.until(() => heldBy(server).length === 1, "the first weights are held");
  return worker;
}

export const heldBy = ({ heard }: FakeServer): unknown[] =>
  heard.reports.flatMap(({ weightsHeld }) => weightsHeld ?? []);
export const computedBy = ({ heard }: FakeServer): number[] =>
  heard.reports.flatMap(({ leaseComputed }) => (leaseComputed ? [leaseComputed.lease] : []));
export const failedBy = ({ heard }: FakeServer) => heard.reports.flatMap(({ leaseFailed }) => leaseFailed ?? []);
export const pushedTo = ({ heard }: FakeServer, lease: number) =>
  heard.pushes.filter((push) => push.complete && push.lease.lease === lease);

/** Threads that are no worker's, holding version 0, to compute what a worker should. */
export async function poolAtStart(
  test: TestContext,
  server: FakeServer,
  form = server.join.form,
): Promise<ComputePool> {
  const { layout } = server;
  const memory = createWorkerMemory({ layout, threads: 1, leaves: 4 });
  const pool = await createComputePool({
    threads: 1,
    backendSettings: settings,
    backend: BACKEND,
    join: { ...server.join, form },
    memory,
  });
  test.after(() => pool.close());
  const theta = new Uint8Array(server.weights(0).buffer);
  for (const chunk of layout.chunks)
    memory.weights(chunk).set(theta.subarray(chunk.offset * 4, (chunk.offset + chunk.length) * 4));
  await pool.load();
  return pool;
}
