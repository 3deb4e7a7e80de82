/**
 * The main thread's client of one compute thread: requests become promises. Several requests may be outstanding; they
 * are answered in order. So a lease can be requested while the weights that it needs are loaded, and samples can be
 * sent before the thread needs them.
 */
import { Worker } from "node:worker_threads";
import type { Numerics } from "../backends/index.js";
import { type ErrorCode, IsobatchError } from "../shared/errors.js";
import { reasonOf, systemError } from "../shared/system-errors.js";
import { traceThread } from "../shared/trace/index.js";
import { HungThreadError, NonFiniteError, ThreadDeathError, TooLargeError } from "./errors.js";
import type { SampleBatch } from "./gradients/index.js";
import { createLeaseProgress } from "./lease-progress.js";
import type {
  LeaseRequest,
  Note,
  Reply,
  ReplyOf,
  RequestName,
  RequestOf,
  ThreadFailure,
  ThreadStart,
} from "./protocol.js";
import { endThread, type Leave } from "./stuck-threads.js";
import { type ThreadWatchOptions, type WorkName, watchThread } from "./thread-watch.js";

export interface ComputeThread {
  readonly numerics: Numerics;
  readonly device: string;
  /**
   * Rejects with what the thread threw, or with its death. While a lease is outstanding, no other request may be made.
   */
  ask<Name extends RequestName>(name: Name, request: RequestOf<Name>): Promise<ReplyOf<Name>>;
  /** Sends samples of the current lease, or of a later one. */
  give(batch: SampleBatch): void;
  /** Resolves when a micro-batch of the current lease is computed, or the lease has ended in any way. */
  computed(number: number): Promise<void>;
  /** Gives up the current lease before its next micro-batch, if it has not ended. */
  abandon(): void;
  /** Resolves with whether the thread has ended: one that is inside a native call is abandoned after a while. */
  close(): Promise<boolean>;
}

export interface ComputeThreadOptions extends ThreadWatchOptions {
  readonly start: ThreadStart;
  /** Called with what the thread reports for people. */
  readonly notice?: (line: string) => void;
  /** Ends this process while a thread is inside a native call. */
  readonly leave: Leave;
  /** What tests run instead of a compute thread. */
  readonly script?: URL;
}

/** How long a thread that is closed may take to finish what it is doing; one that hangs gets less. */
const END_MS = 10_000;
const END_HUNG_MS = 1_000;

interface Waiting {
  readonly name: RequestName | "start";
  resolve(reply: never): void;
  reject(error: Error): void;
}

/** Starts a thread; resolves when its backend and model are ready, and rejects with the reason they are not. */
export async function startComputeThread(options: ComputeThreadOptions): Promise<ComputeThread> {
  const { start, notice, leave, script = new URL("./thread-main.js", import.meta.url) } = options;
  const trace = traceThread(`compute thread ${start.thread}`);
  const worker = new Worker(script, { workerData: { ...start, trace: trace?.ring } satisfies ThreadStart });
  const waiting: Waiting[] = [];
  const who = `Compute thread ${start.thread}`;
  let dead: Error | undefined;
  let ready = false;
  const lease = createLeaseProgress();
  const watch = watchThread(options, `${who} (${start.backend})`, (reason) => die(new HungThreadError(reason)));
  const workNow = (): WorkName | undefined => {
    if (waiting.length === 0) return undefined;
    const [{ name }] = waiting;
    if (name !== "lease") return name;
    return lease.computes() ? "microBatch" : undefined;
  };
  const wait = <T>(name: Waiting["name"]): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push({ name, resolve, reject });
      watch.isAt(workNow());
    });
  const die = (error: Error): void => {
    dead ??= error;
    watch.stop();
    for (const { reject } of waiting.splice(0)) reject(dead);
    lease.end();
  };
  worker.on("message", (message: Reply) => {
    // A closed thread's last replies still come; any caller that waited for them has been answered.
    if (dead !== undefined) return;
    if ("notice" in message) return notice?.(message.notice);
    watch.answered();
    if ("computed" in message) {
      lease.computed(message.computed);
    } else {
      const asked = waiting.shift()!;
      if (asked.name === "lease") lease.end();
      if ("failed" in message) asked.reject(errorOf(message.failed));
      else asked.resolve(("ready" in message ? message.ready : message.reply) as never);
    }
    watch.isAt(workNow());
  });
  worker.on("error", (error) => {
    // If the machine refuses a new thread, it would refuse the next one too.
    const refused = ready ? error : systemError(error, `start compute thread ${start.thread}`);
    if (refused instanceof IsobatchError) die(refused);
    else die(new ThreadDeathError(`${who} crashed: ${reasonOf(error)}`, { cause: error }));
  });
  worker.on("exit", (code) => {
    trace?.end();
    die(new ThreadDeathError(`${who} ended with exit code ${code}.`));
  });

  const close = (): Promise<boolean> => {
    die(new Error(`${who} is closed.`));
    return endThread(worker, dead instanceof HungThreadError ? END_HUNG_MS : END_MS, leave);
  };
  const { numerics, device } = await wait<{ numerics: Numerics; device: string }>("start").catch(
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  ready = true;
  return {
    numerics,
    device,
    ask(name, request) {
      if (dead !== undefined) return Promise.reject(dead);
      if (waiting.some((asked) => asked.name === "lease")) throw new Error(`${who} already computes a lease.`);
      if (name === "lease") {
        const { lo, hi, firstMicroBatch } = request as LeaseRequest;
        lease.start(firstMicroBatch + lo, firstMicroBatch + hi);
      }
      worker.postMessage({ name, ...request });
      return wait(name);
    },
    give(batch) {
      worker.postMessage({ name: "samples", batch } satisfies Note);
      lease.give(batch.number);
      watch.isAt(workNow());
    },
    computed: lease.whenComputed,
    abandon: () => worker.postMessage({ name: "abandon" } satisfies Note),
    close,
  };
}

function errorOf({ message, stack, code, microBatch, tooLarge }: ThreadFailure): Error {
  if (tooLarge) return new TooLargeError(message);
  if (microBatch !== undefined) return new NonFiniteError(microBatch, message);
  if (code !== undefined) return new IsobatchError(code as ErrorCode, message);
  const error = new Error(message);
  error.stack = stack;
  return error;
}
