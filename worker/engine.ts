/**
 * What a worker keeps from one connection to the next: shared memories, threads with the model built, local data, and
 * the batches that came from the server. All threads are started again when one of them dies, and then hold no weights;
 * but not twice without a result in between, because then the machine or the model is the cause.
 */

import type { BackendSettings } from "../backends/machine/index.js";
import {
  type ChosenBackend,
  type ComputePool,
  createComputePool,
  createWorkerMemory,
  type GradientFlip,
  HungThreadError,
  ThreadDeathError,
  TooLargeError,
  type WorkerMemory,
} from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import type { Layout } from "../shared/layout/index.js";
import { machineShare } from "../shared/machine/index.js";
import { largestKappa } from "../shared/steps/index.js";
import { during } from "../shared/trace/index.js";
import type { TaskData } from "../tasks/index.js";
import type { Joined } from "./join.js";
import { type Batches, createBatches } from "./samples.js";

export interface Engine {
  /** The identity of the answer to Join that it was made for. */
  readonly identity: string;
  readonly memory: WorkerMemory;
  /** A local copy of the run's data, if there is one. */
  readonly data: TaskData | undefined;
  /** The batches that came from the server. */
  readonly batches: Batches;
  readonly load: ComputePool["load"];
  readonly prepare: ComputePool["prepare"];
  readonly compute: ComputePool["compute"];
  readonly evaluate: ComputePool["evaluate"];
  /** Why there will be no more threads, if they died twice in a row; from then on everything rejects. */
  readonly broken: Error | undefined;
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly joined: Joined;
  readonly backend: ChosenBackend;
  readonly backendSettings: BackendSettings;
  readonly computeThreads: number;
  readonly data: TaskData | undefined;
  readonly flip: GradientFlip | undefined;
  readonly notice: (line: string) => void;
  readonly warn: (line: string) => void;
  readonly patienceMs: number | undefined;
}

/** The error of a worker whose compute thread hangs inside a native call, and so can't be ended. */
function stuck(cause: HungThreadError): IsobatchError {
  return new IsobatchError(
    "exhausted",
    `${cause.message.replace(/\.$/, "")}, so this worker ends; isobatch doctor shows what it computes ` +
      "on, --backend wasm computes without it, and ISOBATCH_PATIENCE (seconds) makes workers wait longer.",
    { cause },
  );
}

/**
 * Whether the error that ended a worker would end it again: a thread that hangs, too little memory, or a wrong program.
 */
export const wouldRepeat = (error: unknown): boolean =>
  error instanceof TooLargeError ||
  (error instanceof IsobatchError && (error.code === "failed" || error.cause instanceof HungThreadError));

/**
 * Refuses a model that needs more memory than there is: at least the weights, and per thread a gradient and a copy of
 * both.
 */
function checkRoom({ length, parameters, tail }: Layout, threads: number): void {
  const needed = Float32Array.BYTES_PER_ELEMENT * (length + threads * (length + 2 * (parameters + tail)));
  const there = machineShare().memoryBytes;
  if (needed <= there) return;
  const [needs, has] = [needed, there].map((bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`);
  throw new IsobatchError(
    "exhausted",
    `A model of ${length} weights needs at least ${needs} with ${threads} compute threads, but only ${has} of memory is available; ` +
      "run it with fewer --compute-threads.",
  );
}

export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { joined, backend, backendSettings, computeThreads: threads, data, flip, notice } = options;
  const { task, layout, topology, form, identity } = joined;
  checkRoom(layout, threads);
  const memory = createWorkerMemory({ layout, threads, leaves: largestKappa(task.microBatchesPerStep) });
  const { warn, patienceMs } = options;
  const what = { threads, backend: backend.name, backendSettings, join: { task, topology, form }, memory };
  const start = (): Promise<ComputePool> =>
    createComputePool({ ...what, notice, warn, patienceMs, flip }).catch((error: unknown) => {
      throw error instanceof HungThreadError ? stuck(error) : error;
    });
  let pool = start();
  /** The threads that were asked to load weights last. */
  let loading: Promise<ComputePool> | undefined;
  await during("engine", () => pool);
  let proven = true;
  let broken: Error | undefined;

  const replace = async (dead: ComputePool, cause: ThreadDeathError): Promise<ComputePool> => {
    const ended = await dead.close();
    try {
      if (!ended && cause instanceof HungThreadError) throw stuck(cause);
      if (proven) return await start();
      const reason = cause.message.replace(/\.$/, "");
      throw new IsobatchError("exhausted", `The compute threads died twice in a row: ${reason}.`, { cause });
    } catch (error) {
      broken = error as Error;
      throw error;
    } finally {
      proven = false;
    }
  };

  /** Rejects with a ThreadDeathError only once new threads are ready. */
  const ask = async <T>(question: (pool: ComputePool) => Promise<T>): Promise<T> => {
    const asked = pool;
    const threads = await asked;
    try {
      return await question(threads);
    } catch (error) {
      if (error instanceof ThreadDeathError) {
        // Several requests may fail by the same death.
        if (pool === asked) pool = replace(threads, error);
        await pool;
      }
      throw error;
    }
  };

  /** Work is requested after the weights that it needs; threads that were started since then have none. */
  const askForWork: typeof ask = async (question) => {
    if (pool !== loading) throw new ThreadDeathError("The compute threads are new and hold no weights.");
    return ask(question);
  };

  return {
    identity,
    memory,
    data,
    batches: createBatches(task, form),
    get broken() {
      return broken;
    },
    load() {
      loading = pool;
      return ask((threads) => threads.load());
    },
    prepare: (...work) =>
      void pool.then(
        (threads) => threads.prepare(...work),
        // The next request reports why there are no threads.
        () => {},
      ),
    async compute(...work) {
      const computed = await askForWork((threads) => threads.compute(...work));
      proven = true;
      return computed;
    },
    async evaluate(...work) {
      const evaluated = await askForWork((threads) => threads.evaluate(...work));
      proven = true;
      return evaluated;
    },
    async close() {
      await pool.then((threads) => threads.close()).catch(() => false);
    },
  };
}
