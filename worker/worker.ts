/**
 * A worker: chooses a backend, then does what its core decides. It reaches the server, joins and works; when the server
 * is lost, it waits for it and joins again, keeping threads, memories and model if it is still the same run. It ends
 * when the run does, when it has to leave, or with the reason why it can't continue.
 */

import { type BackendSettings, defaultComputeThreads, keepToNearCores } from "../backends/machine/index.js";
import { type ChosenBackend, chooseBackendOffThread, type GradientFlip } from "../compute/index.js";
import { createCoreHost } from "../shared/core-host.js";
import { IsobatchError, invalid } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import { availableCores } from "../shared/machine/index.js";
import { began, during, isTraced } from "../shared/trace/index.js";
import { type Address, type Connection, type Trust, trustOf } from "../shared/wire/index.js";
import { createActivityMeter, type WorkerActivity } from "./activity.js";
import { type Attached, type Attacher, createAttacher } from "./attach.js";
import {
  createWorkerCore,
  type Ending,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerOutcome,
} from "./core/index.js";
import { type Joined, RunEndedError } from "./join.js";
import type { MemoryOptions } from "./near/index.js";
import { pause } from "./pause.js";
import { createWorkerSpans } from "./spans.js";

export type { WorkerOutcome } from "./core/index.js";

export interface WorkerOptions {
  /** The coordinator's address. */
  readonly address: Address;
  readonly token?: string;
  /** How servers are recognised; by default as the token specifies. */
  readonly trust?: Trust;
  /** The name of the backend; by default the first that works here. */
  readonly backend?: string;
  readonly backendSettings: BackendSettings;
  /** The number of the GPU to compute on, among those that are visible; by default the first. */
  readonly gpu?: number;
  /** The number of compute threads; by default one per core, as far as a quota allows, and one on a GPU. */
  readonly computeThreads?: number;
  /** A local copy of the run's data, instead of fetching samples from the server. */
  readonly dataFolder?: string;
  /** How long the worker tries to reach the server at first. */
  readonly connectWaitMs: number;
  /** How long the worker waits for a server that was lost. */
  readonly reconnectWaitMs: number;
  /** How long a compute thread may take for one thing; by default this follows from how long it took before. */
  readonly patienceMs?: number;
  /** How memory is shared with a server of this machine; undefined: numbers go over the wire. */
  readonly memory?: MemoryOptions;
  readonly log: Logger;
  /** Only for tests, by ISOBATCH_FLIP_GRADIENT_BIT. */
  readonly flip?: GradientFlip;
}

export interface RunningWorker {
  /** The id that the server gave this worker; a different one after each reconnection. */
  readonly workerId: string;
  readonly runId: string;
  /** What it is doing now. */
  activity(): WorkerActivity & WorkerSamples;
  /**
   * Rejects with an IsobatchError if the server refuses this worker or stays away for too long, or if the worker itself
   * can't compute.
   */
  readonly finished: Promise<WorkerOutcome>;
  /** Takes no more work, finishes and pushes what it computes, and leaves; resolves when it has left. */
  leave(reason: string): Promise<void>;
  /** Ends at once; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** What a worker has computed, in samples. */
export interface WorkerSamples {
  /** The task's name. */
  readonly task: string;
  readonly samples: number;
  /** Over the last seconds. */
  readonly samplesPerSecond: number;
}

const COMPUTE_THREADS_MAX = 256;
const isThreadCount = (count: number): boolean => Number.isInteger(count) && count >= 1 && count <= COMPUTE_THREADS_MAX;

/**
 * Resolves once the worker has joined and is ready for work.
 * @throws {IsobatchError} why it can't: unreachable, refused, no backend, no data
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { log, backendSettings, computeThreads: threadsAsked } = options;
  if (threadsAsked !== undefined && !isThreadCount(threadsAsked)) {
    invalid(`--compute-threads is ${threadsAsked}; allowed are 1 to ${COMPUTE_THREADS_MAX}.`);
  }
  const backend = await during("probe", () =>
    chooseBackendOffThread(options.backend, log, backendSettings, options.gpu),
  );
  const computeThreads = threadsAsked ?? defaultComputeThreads(backend.name, availableCores());
  const kept = backend.name === "tfjs-node-gpu" ? keepToNearCores(computeThreads, backendSettings) : undefined;
  if (kept !== undefined) log.info({ backend: backend.name }, kept);
  return runWorker(options, backend, computeThreads);
}

/** Runs the core in its shell. */
async function runWorker(
  options: WorkerOptions,
  backend: ChosenBackend,
  computeThreads: number,
): Promise<RunningWorker> {
  const { token, trust = trustOf(token) } = options;
  const running = new AbortController();
  const core = createWorkerCore(options);
  const meter = createActivityMeter();
  const spans = isTraced() ? createWorkerSpans() : undefined;
  const host = createCoreHost<WorkerEvent, WorkerEffect>({
    handle(event) {
      spans?.event(event);
      const nowMs = performance.now();
      meter.event(event, nowMs);
      return core.handle(event, nowMs);
    },
    perform(effect) {
      meter.effect(effect);
      const begun = began();
      perform(effect);
      spans?.effect(effect, begun);
    },
    onFailed: (error) => void finish({ error }),
  });
  const { dispatch } = host;
  const { signal } = running;
  const attacher = createAttacher({ ...options, access: { token, trust }, backend, computeThreads, signal, dispatch });
  const started = createDeferred<void>();
  const finished = createDeferred<WorkerOutcome>();
  finished.promise.catch(() => {});
  let attaching = Promise.resolve();
  let current: Attached | undefined;

  const attach = async (afterMs: number, untilMs: number): Promise<void> => {
    if (afterMs > 0) await pause(afterMs, signal);
    const { attached, event } = await tryToAttach(attacher, untilMs, signal);
    if (attached !== undefined) current = attached;
    dispatch(event);
    if (attached === undefined) return;
    attached.session.read();
    started.resolve();
  };

  const detach = async (): Promise<void> => {
    await current?.close();
    dispatch({ kind: "detached" });
  };

  const finish = async (ending: Ending): Promise<void> => {
    running.abort();
    await attaching;
    // Both at the same time: what is being computed need not be finished.
    await Promise.all([current?.close(), attacher.close()]);
    if ("error" in ending) {
      started.reject(ending.error);
      return finished.reject(ending.error);
    }
    attacher.log.info(`the worker has ended: ${ending.message ?? ending.reason}`);
    finished.resolve(ending);
  };

  function perform(effect: WorkerEffect): void {
    switch (effect.kind) {
      case "attach":
        attaching = attach(effect.afterMs, effect.untilMs);
        return;
      case "cancelAttach":
        return running.abort();
      case "detach":
        return void detach();
      case "end":
        return void finish(effect.ending);
      case "note":
        return logNote(attacher.log, effect);
      default:
        return current!.session.perform(effect);
    }
  }

  dispatch({ kind: "start" });
  await started.promise;

  return {
    get workerId() {
      return current!.joined.workerId;
    },
    get runId() {
      return current!.joined.runId;
    },
    activity: () => activityOf(current!.joined.task, meter.read(performance.now())),
    finished: finished.promise,
    leave(reason) {
      dispatch({ kind: "leave", reason });
      return settled(finished.promise);
    },
    stop() {
      dispatch({ kind: "stop" });
      return settled(finished.promise);
    },
  };
}

/** Resolves when the promise has settled in either way. */
const settled = (promise: Promise<unknown>): Promise<void> =>
  promise.then(
    () => {},
    () => {},
  );

/** What was computed, also in samples. */
function activityOf(
  { name, microBatchSize }: Joined["task"],
  activity: WorkerActivity,
): WorkerActivity & WorkerSamples {
  const { microBatches, microBatchesPerSecond } = activity;
  return {
    ...activity,
    task: name,
    samples: microBatchSize * microBatches,
    samplesPerSecond: microBatchSize * microBatchesPerSecond,
  };
}

function logNote(log: Logger, { level, message, fields, cause }: Extract<WorkerEffect, { kind: "note" }>): void {
  log[level](cause === undefined ? { ...fields } : { ...fields, err: cause }, message);
}

/** One attempt to reach the server and join; `event` is its outcome. */
async function tryToAttach(
  attacher: Attacher,
  untilMs: number,
  signal: AbortSignal,
): Promise<{ readonly attached?: Attached; readonly event: WorkerEvent }> {
  let connection: Connection | undefined;
  try {
    connection = await attacher.connect(untilMs);
    const attached = await attacher.attach(connection);
    return { attached, event: { kind: "attached", attachment: attached.attachment } };
  } catch (error) {
    if (error instanceof RunEndedError) {
      return { event: { kind: "endedMeanwhile", ok: error.ok, reason: error.message } };
    }
    const retriable = error instanceof IsobatchError && error.code === "unavailable" && !signal.aborted;
    return { event: { kind: "attachFailed", error, retriable, answered: connection !== undefined } };
  }
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

function createDeferred<Value>(): Deferred<Value> {
  let settle: Omit<Deferred<Value>, "promise">;
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle! };
}
