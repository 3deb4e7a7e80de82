/** A shard of a few thousand numbers behind its real gRPC service, with the gradients of one step. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  createGate,
  createLeaseKey,
  createToken,
  hashSecret,
  type LeaseClaims,
  memberSeal,
} from "../../shared/credentials/index.js";
import { createLayout, elementsOf } from "../../shared/layout/index.js";
import { createLog } from "../../shared/log.js";
import type { FileMapper } from "../../shared/native/process-addon.js";
import type { StepPlan } from "../../shared/steps/index.js";
import {
  type Address,
  type Connection,
  connect,
  createServer,
  createTrust,
  type ServerTls,
  shardService,
} from "../../shared/wire/index.js";
import { type CheckpointStore, createCheckpointStore, type SliceState } from "../checkpoint/index.js";
import { numbersOf, planFor } from "./arithmetic/sums.test.helper.js";
import { createShard, type MeasuredReport, openNearFolder, type Shard } from "./index.js";

/** Two chunks of parameters, one of a tail, one that is frozen. */
export const LAYOUT = createLayout([
  { name: "a/kernel", shape: [50, 100], kind: "parameter", decay: true },
  { name: "norm/mean", shape: [30], kind: "tail", decay: false, momentum: 0.9 },
  { name: "frozen/kernel", shape: [500], kind: "frozen", decay: false },
]);
/** The chunks that a step's sums are of. */
export const ACTIVE = LAYOUT.chunks.filter(({ kind }) => kind !== "frozen");
const RANGE = { firstChunk: 0, endChunk: LAYOUT.chunks.length };
export const KAPPA = 4;
export const RUN = { runId: "a run", taskHash: "0".repeat(64) };
export const KEY = createLeaseKey();
export const TOKEN = createToken();

const numbers = numbersOf(11);
export const START: SliceState = {
  theta: numbers(LAYOUT.length),
  m: new Float32Array(LAYOUT.parameters),
  v: new Float32Array(LAYOUT.parameters),
};
/** The gradients of a step's leaves. */
export const GRADIENTS = Array.from({ length: KAPPA }, () => numbers(LAYOUT.parameters + LAYOUT.tail));

export const planOf = (step: number, more: Partial<StepPlan> = {}): StepPlan => ({
  ...planFor(KAPPA),
  step,
  firstMicroBatch: step * KAPPA,
  ...more,
});

export const claimsOf = (lo: number, hi: number, more: Partial<LeaseClaims> = {}): LeaseClaims => ({
  runId: RUN.runId,
  workerId: "w-1",
  lease: 1 + lo,
  term: 1,
  step: 0,
  lo,
  hi,
  ...more,
});

export const sealOf = (workerId: string): Buffer => memberSeal(KEY, { runId: RUN.runId, workerId, token: "test" });

export interface SmallShard {
  readonly shard: Shard;
  readonly store: CheckpointStore;
  /** The store's folder. */
  readonly folder: string;
  readonly reports: MeasuredReport[];
  /** What it failed of. */
  readonly failures: unknown[];
  readonly address: Address;
  readonly connection: Connection;
}

export interface SmallShardOptions {
  readonly plan?: StepPlan;
  readonly slow?: (store: CheckpointStore) => CheckpointStore;
  readonly tls?: ServerTls & { ca: string };
  /** The memory folder that it shares with workers of its machine; removed at the test's end. */
  readonly near?: { readonly folder: string; readonly mapper: FileMapper | undefined };
}

/** A shard at step 0 with that step's plan, and a client with the token; closed at the test's end. */
export async function serveSmallShard(
  test: TestContext,
  { plan = planOf(0), slow = (store) => store, tls, near }: SmallShardOptions = {},
): Promise<SmallShard> {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-shard-"));
  const store = createCheckpointStore({ folder, layout: LAYOUT, slice: elementsOf(LAYOUT, RANGE), ...RUN });
  await store.write(START, { step: 0, microBatches: 0, c1: 0, c2: 0 });
  const log = createLog({ level: "silent", pretty: false });
  const reports: MeasuredReport[] = [];
  const failures: unknown[] = [];
  const shard = createShard({
    wire: "float32",
    layout: LAYOUT,
    range: RANGE,
    runId: RUN.runId,
    leaseKey: KEY,
    store: slow(store),
    log,
    near: near && (await openNearFolder(near, log)),
    report: (report) => reports.push(report),
    onFailed: (error) => failures.push(error),
  });
  shard.handle({ kind: "restore", term: 1, step: 0 });
  shard.handle({ kind: "plan", plan });
  const gate = createGate({ passes: [{ name: "test", role: "worker", hash: hashSecret(TOKEN) }] });
  const server = createServer({ gate, tls });
  server.addService(shardService, shard.handlers);
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  const connection = await connect(address, { token: TOKEN, trust: tls && createTrust({ ca: tls.ca }), waitMs: 5_000 });
  test.after(async () => {
    connection.close();
    await server.shutdown(0);
    shard.close();
    for (const path of near ? [folder, near.folder] : [folder]) rmSync(path, { recursive: true });
  });
  return { shard, store, folder, reports, failures, address, connection };
}
