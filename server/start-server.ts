import { hostname } from "node:os";
import { join } from "node:path";
import { awaited } from "../shared/awaited.js";
import { createLeaseKey, parseToken } from "../shared/credentials/index.js";
import { IsobatchError, invalid, isFinal, messageOf } from "../shared/errors.js";
import { elementsOf, type Layout, sliceChunks } from "../shared/layout/index.js";
import type { Logger } from "../shared/log.js";
import { version } from "../shared/version.js";
import {
  type Address,
  coordinatorService,
  createServer,
  formatAddress,
  fromHere,
  type Status,
  shardService,
  type WireServer,
} from "../shared/wire/index.js";
import { type PreparedTask, prepareTask, scaleAdvice, type Task } from "../tasks/index.js";
import { createCheckpointStore, microBatchesDone } from "./checkpoint/index.js";
import {
  createCoordinator,
  createCoordinatorHandlers,
  localLink,
  outcomeError,
  reportEvent,
  statusOf,
} from "./coordinator/index.js";
import { createSource, type Dashboard } from "./dashboard/index.js";
import { writeFirstCheckpoint } from "./first-checkpoint.js";
import { watchFirstLoss } from "./first-loss.js";
import {
  type EventLine,
  type KappaFile,
  type MetricsLine,
  openKappaRecord,
  openLedger,
  openMetrics,
  openRunDirectory,
  RUN_FILES,
  type RunDirectory,
  type RunRecord,
  readKappaRecord,
  type Summary,
  withTensorBoard,
  writeReport,
  writeSummary,
} from "./observe/index.js";
import { type HttpOptions, openDashboard } from "./open-dashboard.js";
import { recordFailure } from "./record-failure.js";
import { extensionEvent, resumeTask } from "./resume-task.js";
import { summaryOf } from "./run-summary.js";
import { createSamples } from "./samples/index.js";
import { createTokenControl, type GivenToken, openSecurity, type Security, type TlsRequest } from "./security/index.js";
import { createShard } from "./shard/index.js";
import { type SpawnedShard, superviseShards } from "./supervise-shards.js";
import { taskHash } from "./task-hash.js";

export interface ServerOptions {
  readonly task: Task;
  /** The run directory. */
  readonly out: string;
  readonly listen: Address;
  readonly shards: number;
  readonly tls: TlsRequest;
  /** Holds the join token, or is made to hold it. */
  readonly joinTokenFile?: string;
  /** Tokens beside those of the run directory. */
  readonly tokens?: readonly GivenToken[];
  /** The first step waits for so many workers, but at most `awaitMs` after the first is ready. */
  readonly workersAwaited: number;
  readonly awaitMs: number;
  /**
   * Whether it keeps answering when the run has ended, until `abort`; workers that come then are put off. A run that
   * failed for a reason that may be gone at a restart, such as a full disk, ends the server anyway.
   */
  readonly stay?: boolean;
  /** Where the dashboard and the metrics are served over HTTP, if they are. */
  readonly http?: HttpOptions;
  /** A run directory, or a kappa.jsonl, whose record of κ this run is to follow. */
  readonly replayKappa?: string;
  /** Whether a schedule that ends with a shorter run may be stretched to the task's length. */
  readonly extend?: boolean;
  readonly log: Logger;
  /** Starts the process of shard `index` ≥ 1, which calls `startShard`; `token` admits it. */
  spawnShard(shard: { index: number; coordinator: Address; listen: Address; token: string }): SpawnedShard;
}

export interface RunningServer {
  /** With the port that was taken. */
  readonly address: Address;
  readonly runId: string;
  /** Whether the directory held this run before. */
  readonly resumed: boolean;
  readonly task: Task;
  readonly metrics: Pick<RunRecord<MetricsLine>, "subscribe">;
  readonly dashboard: Dashboard | undefined;
  /** Who is admitted, and with which certificate. */
  readonly security: Security;
  status(): Status;
  /** Whether a worker of this machine has computed anything that was committed. */
  hasWorked(processId: number): boolean;
  /**
   * Ends after the open step and a checkpoint. `workersWait`: they are not told that the run has ended, so that they
   * wait for the server to come back.
   */
  stop(options?: { workersWait: boolean }): void;
  /** Ends the run with this error, which its workers and its run directory are told. */
  fail(error: unknown): void;
  /** Writes a checkpoint after the open step. */
  checkpoint(): void;
  /** Ends at once; the newest checkpoint is where the run stands. */
  abort(): Promise<void>;
  /** The summary is written. Rejects with an IsobatchError when the run failed or was aborted. */
  readonly ended: Promise<RunEnd>;
  /** As `ended`, once nothing of the server is left. */
  readonly finished: Promise<RunEnd>;
}

export interface RunEnd {
  readonly outcome: "complete" | "stopped";
  readonly summary: Summary;
}

/** How long workers get to hear that the run has ended. */
const FAREWELL_MS = 2_000;
const PORT_MAX = 65_535;

/** Starts the first server process of a run: the coordinator and shard 0, and the other shards as processes. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { task: wanted, out, extend = false } = options;
  const asked = await prepareTask(wanted);
  const { layout, notes } = asked.built;
  for (const note of notes) options.log.warn(note);
  checkShards(options, layout);
  const {
    replayKappa,
    task: { microBatchesPerStep, microBatchSize },
  } = options;
  const replayed = replayKappa === undefined ? undefined : readKappaRecord(replayKappa, microBatchesPerStep);
  const { fingerprint, trainFingerprint } = asked.data;
  const data = { fingerprint, trainFingerprint };
  let extension: EventLine | undefined;
  const directory = openRunDirectory({
    folder: out,
    task: { name: wanted.name, hash: taskHash(wanted, fingerprint), json: jsonOf(wanted) },
    data,
    version,
    topology: asked.built.topology,
    layout,
    goOn({ identity, taskJson }) {
      const range = { firstElement: 0, endElement: layout.length };
      const samplesDone = microBatchesDone(join(out, RUN_FILES.checkpoints), range) * microBatchSize;
      const recorded = parseTask(join(out, RUN_FILES.task), taskJson);
      const resumed = resumeTask({ folder: out, identity, recorded, wanted, data, samplesDone, extend });
      extension = extensionEvent(recorded, resumed);
      return jsonOf(resumed);
    },
  });
  const task = JSON.parse(directory.taskJson) as Task;
  const prepared = { ...asked, task };
  const cleanUp: (() => Promise<void> | void)[] = [() => directory.close()];
  const close = async (): Promise<void> => {
    for (const action of cleanUp.splice(0).reverse()) await action();
  };
  try {
    await writeFirstCheckpoint(prepared, directory, directory.identity.taskHash);
    const kappa = openKappaRecord(out, microBatchesPerStep, directory.identity.epoch > 0, replayed);
    cleanUp.push(() => kappa.close());
    return await serve({ ...options, task }, prepared, directory, kappa, extension, cleanUp, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function jsonOf(task: Task): string {
  return `${JSON.stringify(task, null, 2)}\n`;
}

function parseTask(path: string, json: string): Task {
  try {
    return JSON.parse(json) as Task;
  } catch (error) {
    throw new IsobatchError("damaged", `${path} is damaged: it is not JSON.`, { cause: error });
  }
}

function checkShards({ shards, listen }: Pick<ServerOptions, "shards" | "listen">, layout: Layout): void {
  const chunks = layout.chunks.length;
  if (!(shards >= 1 && shards <= chunks)) {
    invalid(`--shards is ${shards}; this model has ${chunks} chunks to share out, so choose 1 to ${chunks}.`);
  }
  if (shards > 1 && listen.port + shards > PORT_MAX) {
    invalid(
      `--listen has port ${listen.port}; ${shards} shards take those up to the ${shards}th after it, and ${PORT_MAX} is the last.`,
    );
  }
}

async function serve(
  options: ServerOptions,
  prepared: PreparedTask,
  directory: RunDirectory,
  kappa: KappaFile,
  extension: EventLine | undefined,
  cleanUp: (() => Promise<void> | void)[],
  close: () => Promise<void>,
): Promise<RunningServer> {
  const { task, out, stay = false } = options;
  const { layout } = prepared.built;
  const { data } = prepared;
  const { runId, taskHash: hash } = directory.identity;
  const log = options.log.child({ run: runId });
  const startedAt = performance.now();
  const metrics = withTensorBoard(openMetrics(out), {
    folder: join(out, RUN_FILES.tensorboard),
    microBatchSize: task.microBatchSize,
    onFailed: (error) => log.warn(`TensorBoard gets no more of this run. ${messageOf(error)}`),
  });
  cleanUp.push(() => metrics.close());
  const advice = scaleAdvice(task, prepared.built.model, data);
  if (advice !== undefined) log.warn(advice);
  else if (task.loss === "meanSquaredError" && !directory.resumed) watchFirstLoss(metrics, log);
  const ledger = openLedger(out);
  cleanUp.push(() => ledger.close());

  const slices = sliceChunks(layout, options.shards);
  const samples = createSamples(task, data);
  const leaseKey = createLeaseKey();
  const coordinator = createCoordinator({
    task,
    shards: options.shards,
    directory,
    kappa,
    metrics,
    ledger,
    samples,
    testSamples: data.test?.samples ?? 0,
    classified: data.train.label.classes !== undefined,
    leaseKey,
    workersAwaited: options.workersAwaited,
    awaitMs: options.awaitMs,
    log,
  });
  cleanUp.push(() => coordinator.close());

  const range = slices[0];
  const slice = elementsOf(layout, range);
  const store = createCheckpointStore({ folder: directory.checkpointsFolder, layout, slice, runId, taskHash: hash });
  const shard = createShard({
    layout,
    range,
    runId,
    leaseKey,
    store,
    log,
    report: (report) => coordinator.dispatch(reportEvent(0, report)),
    onFailed: (error) => coordinator.fail(error),
  });

  const { joinTokenFile, tokens } = options;
  const security = await openSecurity({ folder: out, tls: options.tls, joinTokenFile, given: tokens, log });
  cleanUp.push(() => security.close());
  const { gate, tls } = security;
  let workersWait = false;
  const server = createServer({ gate, tls });
  server.addService(
    coordinatorService,
    createCoordinatorHandlers({
      ...{ coordinator, prepared, directory, samples, metrics, slices, leaseKey, gate, version, stay, log },
      controlTokens: createTokenControl(out, security),
      workersWait: () => workersWait,
    }),
  );
  server.addService(shardService, shard.handlers);
  const address = await server.listen(options.listen);
  cleanUp.push(() => awaited("the server's connections to close", server.shutdown(FAREWELL_MS)));
  directory.saveTask();
  if (extension !== undefined) metrics.append(extension);
  directory.showAddress(formatAddress(fromHere(address)));
  server.setServing(true);
  coordinator.shardTraffic[0] = shard.traffic;
  coordinator.attachShard(0, localLink(shard, `:${address.port}`), shard.checkpoints());
  const status = (): Status => statusOf(coordinator, task, slices, runId, version);
  const shown = createSource({ coordinator, task, runId, version, metrics, status });
  const dashboard = await openDashboard(options, shown, security, address);
  if (dashboard !== undefined) cleanUp.push(() => awaited("the dashboard to close", dashboard.close()));
  const shardToken = options.shards > 1 ? parseToken(security.passFor("shards", "shard")).secret : "";
  const supervisor = superviseShards({
    ...{ shards: options.shards, address, portChosen: options.listen.port !== 0, coordinator, log },
    meeting: await meetingPlace(options, server, address),
    spawnShard: (shard) => options.spawnShard({ ...shard, token: shardToken }),
  });
  cleanUp.push(() => awaited("the shards' processes to end", supervisor.stop()));

  let aborted: ((error: IsobatchError) => void) | undefined;
  const abortion = new Promise<never>((_, reject) => {
    aborted = reject;
  });
  abortion.catch(() => {});
  const sayFarewell = (ok: boolean, reason: string): void => {
    for (const { writer } of workersWait ? [] : coordinator.members.attached()) {
      // The worker ends its stream when it hears of it; those that don't are cut off when the server shuts down.
      writer?.write({ ended: { ok, reason } }).catch(() => {});
    }
    for (const link of coordinator.shards) link?.stop(reason);
  };
  const come = async () => {
    const outcome = await Promise.race([coordinator.ended, supervisor.failed, abortion]);
    if (!outcome.ok) throw outcomeError(outcome, samples, coordinator.state.mark.step);
    return outcome;
  };
  const source = { task, directory, coordinator, startedAt };
  const ended = (async (): Promise<RunEnd> => {
    const outcome = await come().catch((error: unknown) => {
      // After an abort the workers wait for a server to come back: the run isn't over.
      if (error instanceof IsobatchError && error.code === "interrupted") throw error;
      coordinator.showFailure(messageOf(error));
      sayFarewell(false, messageOf(error));
      recordFailure({ ...source, out, metrics, log }, error);
      throw error;
    });
    sayFarewell(true, outcome.reason);
    const summary = summaryOf(source);
    writeSummary(out, summary);
    try {
      writeReport(out);
    } catch (error) {
      // The run is complete without it.
      log.warn(`The report was not written. ${messageOf(error)}`);
    }
    return { outcome: outcome.reason, summary };
  })();
  const finished = (async () => {
    const answerOn = async (): Promise<void> => {
      // Shards have been told to end, and are not started again.
      await supervisor.stop();
      await abortion.catch(() => {});
    };
    try {
      const end = await ended;
      if (stay) await answerOn();
      return end;
    } catch (error) {
      if (stay && isFinal(error)) await answerOn();
      throw error;
    } finally {
      server.setServing(false);
      await close();
    }
  })();
  // Whoever started the server awaits it; until then a failure is no unhandled rejection.
  finished.catch(() => {});

  return {
    address,
    runId,
    resumed: directory.resumed,
    task,
    metrics,
    dashboard,
    security,
    status,
    hasWorked: (processId) => coordinator.members.hasWorked(hostname(), processId),
    stop(how) {
      workersWait = how?.workersWait ?? false;
      coordinator.dispatch({ kind: "stop" });
    },
    fail: (error) => coordinator.fail(error),
    checkpoint: () => coordinator.dispatch({ kind: "checkpointNow" }),
    async abort() {
      aborted?.(
        new IsobatchError("interrupted", `The run was stopped at once; the same command on ${out} resumes it.`),
      );
      await finished.catch(() => {});
    },
    ended,
    finished,
  };
}

/**
 * Where the shards' processes reach the coordinator. They are of this machine, so they need no TLS, whoever's
 * certificates the server has: without it a port of their own, on loopback.
 */
async function meetingPlace({ shards, tls }: ServerOptions, server: WireServer, address: Address): Promise<Address> {
  return shards === 1 || tls.kind === "none" ? address : server.listen({ host: "127.0.0.1", port: 0 }, "plain");
}
