/**
 * A worker's life: choose a backend, reach the server, join, work; and when the server is lost, wait for it and join
 * again, with the threads, memories and model kept if it is still the same run. It ends when the run does, when it is
 * told to leave, or with the reason why it can't go on.
 */
import { IsobatchError, invalid } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import { availableCores } from "../shared/machine/index.js";
import { during, nameProcess } from "../shared/trace/index.js";
import { type Address, type Connection, connect, formatAddress, type Trust, trustOf } from "../shared/wire/index.js";
import { openData } from "../tasks/index.js";
import { defaultComputeThreads } from "./backends/threads.js";
import { backoffMs, pause } from "./backoff.js";
import { chooseBackendOffThread } from "./choose-backend.js";
import type { GradientFlip } from "./compute/index.js";
import { createEngine, type Engine } from "./engine.js";
import { tellWhyNot } from "./failure.js";
import { type Joined, join, RunEndedError } from "./join.js";
import { openSession, type Session } from "./session.js";

export interface WorkerOptions {
  /** Of the coordinator. */
  readonly address: Address;
  readonly token?: string;
  /** How servers are known; by default as the token says. */
  readonly trust?: Trust;
  /** Default: the first that starts here. */
  readonly backend?: string;
  /** The number of the GPU to compute on, among those that are visible; by default the first. */
  readonly gpu?: number;
  /** Default: one per core, as far as a quota allows; on a GPU, one. */
  readonly computeThreads?: number;
  /** A local copy of the run's data, instead of fetching samples from the server. */
  readonly dataFolder?: string;
  /** How long the server is tried to be reached at first. */
  readonly connectWaitMs: number;
  /** How long a server that was lost is waited for. */
  readonly reconnectWaitMs: number;
  /** How long a compute thread may be at one thing; by default that follows from how long it took before. */
  readonly patienceMs?: number;
  readonly log: Logger;
  /** For tests alone. */
  readonly flip?: GradientFlip;
}

export interface RunningWorker {
  /** The server's name for it; another one after a reconnection. */
  readonly workerId: string;
  readonly runId: string;
  /**
   * Rejects with an IsobatchError when the server refuses this worker, stays away for too long, or the worker itself
   * can't compute.
   */
  readonly finished: Promise<WorkerOutcome>;
  /** Takes no more work, finishes and pushes what it computes, and goes; resolves when it is gone. */
  leave(reason: string): Promise<void>;
  /** Goes at once; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

export interface WorkerOutcome {
  readonly reason: "run ended" | "left" | "sent away" | "stopped";
  /** Whether all is well: false for a run that failed, and for a worker that the server has sent away. */
  readonly ok: boolean;
  readonly message?: string;
}

const COMPUTE_THREADS_MAX = 256;
const isThreadCount = (count: number): boolean => Number.isInteger(count) && count >= 1 && count <= COMPUTE_THREADS_MAX;

/**
 * Resolves once the worker has joined and is ready for work.
 * @throws {IsobatchError} why it can't: unreachable, refused, no backend, no data.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { log, reconnectWaitMs } = options;
  const { computeThreads: threadsAsked } = options;
  if (threadsAsked !== undefined && !isThreadCount(threadsAsked)) {
    invalid(`--compute-threads is ${threadsAsked}; allowed are 1 to ${COMPUTE_THREADS_MAX}.`);
  }
  const { token, trust = trustOf(token) } = options;
  const access = { token, trust };
  const stopped = new AbortController();
  /** Aborted also by `leave`: a server that is away is not waited for any more. */
  const going = new AbortController();
  const backend = await during("probe", () => chooseBackendOffThread(options.backend, log, options.gpu));
  const computeThreads = threadsAsked ?? defaultComputeThreads(backend.name, availableCores());
  let engine: Engine | undefined;
  let current: Attachment | undefined;
  let leaving: string | undefined;
  /** Tells also which run and which worker, once they are known. */
  let bound: Logger = log;

  /** Joins and attaches, trying again for `waitMs` while the server is not to be reached. */
  const attach = async (waitMs: number): Promise<Attachment> => {
    const until = performance.now() + waitMs;
    let answer: unknown;
    for (let failures = 0; ; failures++) {
      let connection: Connection | undefined;
      try {
        connection = await connect(options.address, {
          ...access,
          waitMs: Math.max(0, until - performance.now()),
          signal: going.signal,
        });
        return await attachOnce(connection);
      } catch (error) {
        const tryAgain = error instanceof IsobatchError && error.code === "unavailable" && !going.signal.aborted;
        if (!tryAgain) throw error;
        if (connection !== undefined) answer = error;
        // What the server answered says more than that there was no time left to ask again.
        if (performance.now() >= until) throw answer ?? error;
        await pause(backoffMs(failures), going.signal);
      }
    }
  };

  const attachOnce = async (connection: Connection): Promise<Attachment> => {
    const { address, dataFolder, flip, patienceMs } = options;
    const { signal } = going;
    try {
      const joined = await join(connection, { backend, computeThreads, runId: current?.joined.runId, signal });
      if (engine?.identity !== joined.identity) {
        await engine?.close();
        engine = undefined;
        const { task, datasetFingerprint: fingerprint } = joined;
        const data = dataFolder === undefined ? undefined : await openData(task, { folder: dataFolder, fingerprint });
        const notice = (line: string): void => log.info(line);
        const warn = (line: string): void => bound.warn(line);
        const heard = { notice, warn, patienceMs };
        engine = await createEngine({ joined, backend, computeThreads, data, flip, ...heard }).catch(async (error) => {
          await tellWhyNot(connection, joined.workerId, error);
          throw error;
        });
      }
      const { workerId, runId, task } = joined;
      bound = log.child({ run: runId, worker: workerId });
      nameProcess(`worker ${workerId}`);
      const session = await openSession({ connection, access, joined, engine, log: bound });
      bound.info({ task: task.name }, `joined ${formatAddress(address)} as ${workerId}`);
      if (leaving !== undefined) session.leave(leaving);
      return { connection, joined, session };
    } catch (error) {
      connection.close();
      throw error;
    }
  };

  const detach = async (): Promise<void> => {
    await current?.session.close();
    current?.connection.close();
  };

  const live = async (): Promise<WorkerOutcome> => {
    const stop = aborted(stopped.signal);
    let failures = 0;
    let lostAt: number | undefined;
    for (;;) {
      const end = await Promise.race([current!.session.ended, stop]);
      if (end === "aborted") return { reason: "stopped", ok: true };
      if (end.kind === "run ended") return { reason: "run ended", ok: end.ok, message: end.reason };
      if (end.kind === "left") return { reason: "left", ok: true, message: end.reason };
      if (end.kind === "sent away") return { reason: "sent away", ok: false, message: end.reason };
      if (end.steady) [failures, lostAt] = [0, undefined];
      lostAt ??= performance.now();
      const leftMs = lostAt + reconnectWaitMs - performance.now();
      if (leftMs <= 0) throw end.error;
      bound.warn(`${end.error.message} Joining again, for at most ${Math.ceil(leftMs / 1000)} s.`);
      await detach();
      await pause(backoffMs(failures++), going.signal);
      try {
        current = await attach(leftMs);
      } catch (error) {
        if (stopped.signal.aborted) return { reason: "stopped", ok: true };
        if (leaving !== undefined) return { reason: "left", ok: true, message: leaving };
        if (error instanceof RunEndedError) return { reason: "run ended", ok: error.ok, message: error.message };
        throw error;
      }
    }
  };

  const finish = async (): Promise<WorkerOutcome> => {
    try {
      const outcome = await live();
      bound.info(`the worker has ended: ${outcome.message ?? outcome.reason}`);
      return outcome;
    } finally {
      // Together: what is being computed need not be finished.
      await Promise.all([detach(), engine?.close()]);
    }
  };

  try {
    current = await attach(options.connectWaitMs);
  } catch (error) {
    await engine?.close();
    throw error;
  }
  const finished = finish();
  finished.catch(() => {});

  return {
    get workerId() {
      return current!.joined.workerId;
    },
    get runId() {
      return current!.joined.runId;
    },
    finished,
    async leave(reason) {
      leaving = reason;
      going.abort();
      current!.session.leave(reason);
      await finished.catch(() => {});
    },
    async stop() {
      stopped.abort();
      going.abort();
      await finished.catch(() => {});
    },
  };
}

interface Attachment {
  readonly connection: Connection;
  readonly joined: Joined;
  readonly session: Session;
}

function aborted(signal: AbortSignal): Promise<"aborted"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("aborted");
    else signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
}
