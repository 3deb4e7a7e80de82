import { awaited } from "../shared/awaited.js";
import { createLeaseKey, parseToken } from "../shared/credentials/index.js";
import { type ChunkRange, elementsOf, sliceChunks } from "../shared/layout/index.js";
import type { Logger } from "../shared/log.js";
import { during } from "../shared/trace/index.js";
import { version } from "../shared/version.js";
import {
  type Address,
  coordinatorService,
  createServer,
  formatAddress,
  localAddressOf,
  type Status,
  shardService,
  type WireServer,
} from "../shared/wire/index.js";
import { type PreparedTask, scaleAdvice } from "../tasks/index.js";
import { createCheckpointStore } from "./checkpoint/index.js";
import type { CleanUp } from "./clean-up.js";
import {
  type Coordinator,
  createCoordinator,
  createCoordinatorHandlers,
  localLink,
  reportEvent,
  statusOf,
} from "./coordinator/index.js";
import { watchFirstLoss } from "./first-loss.js";
import { type Observers, startObservers } from "./observers.js";
import type { OpenRun } from "./open-run.js";
import {
  type LedgerLine,
  type MetricsLine,
  openLedger,
  openMetrics,
  type RunDirectory,
  type RunRecord,
} from "./record/index.js";
import { createRunSource } from "./run-source.js";
import { createSamples, type SampleReader } from "./samples/index.js";
import { createTokenControl, openSecurity, type Security } from "./security/index.js";
import type { ServerOptions } from "./server-options.js";
import { createShard, type NearFolder, openNearFolder, type Shard } from "./shard/index.js";
import { type ShardSupervisor, superviseShards } from "./supervise-shards.js";

/** The parts of a running server. */
export interface Assembled {
  readonly address: Address;
  readonly server: WireServer;
  readonly coordinator: Coordinator;
  readonly samples: SampleReader;
  readonly metrics: RunRecord<MetricsLine>;
  readonly security: Security;
  readonly observers: Observers;
  readonly supervisor: ShardSupervisor;
  status(): Status;
}

/** How long workers have to receive the run's end. */
const FAREWELL_MS = 2_000;

/**
 * Builds a server from its parts, in order: records, coordinator, shard 0, the gate and the port, the observers,
 * the other shards' processes.
 * @param workersWait whether workers are to wait for the server to come back
 */
export async function assemble(
  options: ServerOptions,
  { prepared, facts, directory, kappa, extension }: OpenRun,
  log: Logger,
  cleanUp: CleanUp,
  workersWait: () => boolean,
): Promise<Assembled> {
  const { out, stay = false, joinTokenFile, tokens, workersAwaited, awaitMs } = options;
  const { data, built, task } = prepared;
  const { runId } = directory.identity;
  const { metrics, ledger } = openRecords(prepared, directory, log, cleanUp);
  const slices = sliceChunks(built.layout, options.shards);
  const samples = createSamples(task, data);
  const leaseKey = createLeaseKey();
  const coordinator = createCoordinator({
    task,
    directory,
    kappa,
    metrics,
    ledger,
    samples,
    leaseKey,
    workersAwaited,
    awaitMs,
    log,
    shards: options.shards,
    testSamples: data.test?.samples ?? 0,
    classified: data.train.label.classes !== undefined,
  });
  cleanUp.add(() => coordinator.close());
  const near = await openNearFolder(options.memory, log);
  const shard = firstShard(prepared, directory, slices[0], leaseKey, coordinator, near, log);
  cleanUp.add(() => shard.close());

  const admitting = { folder: out, tls: options.tls, joinTokenFile, given: tokens, log };
  const security = await during("security", () => openSecurity(admitting));
  cleanUp.add(() => security.close());
  const { gate, tls } = security;
  const status = (): Status => statusOf(coordinator, task, facts, slices, runId, version);
  const server = createServer({ gate, tls });
  server.addService(
    coordinatorService,
    createCoordinatorHandlers({
      ...{
        coordinator,
        prepared,
        directory,
        samples,
        metrics,
        slices,
        leaseKey,
        gate,
        version,
        stay,
        workersWait,
        status,
        log,
      },
      controlTokens: createTokenControl(out, security),
    }),
  );
  server.addService(shardService, shard.handlers);
  const address = await server.listen(options.listen);
  cleanUp.add(() => awaited("the server's connections to close", server.shutdown(FAREWELL_MS)));
  const { command } = options;
  // Before the connections are closed, so that the departures that follow are not recorded as losses.
  cleanUp.add(() => coordinator.close());
  const source = createRunSource({
    folder: directory.folder,
    runId,
    version,
    task,
    facts,
    layout: built.layout,
    command,
    address,
    security,
    metrics,
    log,
    coordinator,
    status,
  });
  const observers = await startObservers(options.observers ?? [], source, cleanUp);
  directory.saveTask();
  metrics.append({
    type: "event",
    event: "started",
    at: new Date().toISOString(),
    version,
    ...(command && { command }),
  });
  if (extension !== undefined) metrics.append(extension);
  directory.showAddress(formatAddress(localAddressOf(address)));
  server.setServing(true);
  coordinator.shardTraffic[0] = shard.traffic;
  coordinator.attachShard(0, localLink(shard, `:${address.port}`), shard.checkpoints());

  const supervisor = await startShards(options, server, address, coordinator, security, log);
  cleanUp.add(() => awaited("the shards' processes to end", supervisor.stop()));
  return { address, server, coordinator, samples, metrics, security, observers, supervisor, status };
}

/** Opens the run's records, and logs what people should know about them at once. */
function openRecords(
  { task, built, data }: PreparedTask,
  { folder, resumed }: RunDirectory,
  log: Logger,
  cleanUp: CleanUp,
): { metrics: RunRecord<MetricsLine>; ledger: RunRecord<LedgerLine> } {
  const metrics = openMetrics(folder);
  cleanUp.add(() => metrics.close());
  const advice = scaleAdvice(task, built.model, data);
  if (advice !== undefined) log.warn(advice);
  else if (task.loss === "meanSquaredError" && !resumed) watchFirstLoss(metrics, log);
  const ledger = openLedger(folder);
  cleanUp.add(() => ledger.close());
  return { metrics, ledger };
}

/** Shard 0, which is in the coordinator's process. */
function firstShard(
  { built: { layout }, task: { wire } }: PreparedTask,
  directory: RunDirectory,
  range: ChunkRange,
  leaseKey: Uint8Array,
  coordinator: Coordinator,
  near: NearFolder | undefined,
  log: Logger,
): Shard {
  const { runId, taskHash } = directory.identity;
  const slice = elementsOf(layout, range);
  return createShard({
    layout,
    range,
    wire,
    runId,
    leaseKey,
    near,
    log,
    store: createCheckpointStore({ folder: directory.checkpointsFolder, layout, slice, runId, taskHash }),
    report: (report) => coordinator.dispatch(reportEvent(0, report)),
    onFailed: (error) => coordinator.fail(error),
  });
}

/**
 * The processes of the other shards. They run on this machine, so they need no TLS to reach the coordinator, whichever
 * certificates the server has: they get a separate port on loopback instead.
 */
async function startShards(
  options: ServerOptions,
  server: WireServer,
  address: Address,
  coordinator: Coordinator,
  security: Security,
  log: Logger,
): Promise<ShardSupervisor> {
  const { shards, listen } = options;
  const token = shards > 1 ? parseToken(security.passFor("shards", "shard")).secret : "";
  const plain = shards === 1 || options.tls.kind === "none";
  return superviseShards({
    shards,
    address,
    portChosen: listen.port !== 0,
    coordinator,
    log,
    meeting: plain ? address : await server.listen({ host: "127.0.0.1", port: 0 }, "plain"),
    spawnShard: (shard) => options.spawnShard({ ...shard, token }),
  });
}
