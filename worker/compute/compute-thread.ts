/**
 * The main thread's end of one compute thread: requests become promises. Requests may be outstanding together; they
 * are answered in order. So a lease can be asked for while the weights that it needs are loaded, and samples can be sent
 * before the thread needs them.
 */
import { Worker } from "node:worker_threads";
import { type ErrorCode, IsobatchError } from "../../shared/errors.js";
import { reasonOf, systemError } from "../../shared/system-errors.js";
import { traceThread } from "../../shared/trace/index.js";
import type { Numerics } from "../backends/index.js";
import type { SampleBatch } from "./gradients.js";
import { NonFiniteError } from "./non-finite-error.js";
import type { Failure, LeaseRequest, Note, Reply, ReplyOf, RequestName, RequestOf, ThreadStart } from "./protocol.js";
import { endThread, type Leave } from "./stuck-threads.js";
import { createWatchdog, type Patience } from "./watchdog.js";

export interface ComputeThread {
  readonly numerics: Numerics;
  readonly device: string;
  /** Rejects with what the thread threw, or with its death. While it is asked for a lease it may be asked nothing else. */
  ask<Name extends RequestName>(name: Name, request: RequestOf<Name>): Promise<ReplyOf<Name>>;
  /** Sends samples of the lease that was asked for, or of a later one. */
  give(batch: SampleBatch): void;
  /** Resolves when a micro-batch of the lease that was asked for is computed, or the lease has ended in any way. */
  computed(number: number): Promise<void>;
  /** Gives up the lease that was asked for before its next micro-batch, if it is still under way. */
  abandon(): void;
  /** Resolves with whether the thread has ended: one that is inside a native call is left behind after a while. */
  close(): Promise<boolean>;
}

/** A thread has ended of itself: whatever it held is lost, and its pool computes no more. */
export class ThreadDeathError extends Error {
  override readonly name = "ThreadDeathError";
}

/** A thread has not answered for so long that it never will. */
export class HungThreadError extends ThreadDeathError {}

export interface ComputeThreadOptions {
  readonly start: ThreadStart;
  /** Is called with what the thread reports to people. */
  readonly notice?: (line: string) => void;
  /** Is called when the thread takes suspiciously long. */
  readonly warn?: (line: string) => void;
  readonly patience: Patience;
  /** Ends this process while a thread is inside a native call. */
  readonly leave: Leave;
  /** How often the thread is looked at; the time between two looks counts as twice this at most. */
  readonly lookMs?: number;
  /** What is run instead of a compute thread, in tests. */
  readonly script?: URL;
}

/** What a thread is at. A lease is as many pieces of work as it has micro-batches, and none while it waits for samples. */
type WorkName = Exclude<RequestName, "lease"> | "start" | "microBatch";

/** The same in words. */
const WORK: Record<WorkName, string> = {
  start: "opening its backend and model",
  load: "loading the weights",
  microBatch: "a micro-batch's gradient",
  join: "joining sums",
  evaluate: "evaluating a batch",
};

const LOOK_MS = 1_000;
/** How long a thread that is closed may take to finish what it is doing; one that hangs gets less. */
const END_MS = 10_000;
const END_HUNG_MS = 1_000;

interface Waiting {
  readonly name: RequestName | "start";
  resolve(reply: never): void;
  reject(error: Error): void;
}

/** The lease that was asked for, as far as it is known here. */
interface LeaseUnderWay {
  /** The micro-batch that is computed next, or now, and the one behind the last. */
  next: number;
  readonly end: number;
  readonly waiting: { readonly number: number; resolve(): void }[];
}

/** Starts a thread; resolves when its backend and model are ready, and rejects with the reason they are not. */
export async function startComputeThread(options: ComputeThreadOptions): Promise<ComputeThread> {
  const { start, notice, leave, script = new URL("./thread.js", import.meta.url) } = options;
  const trace = traceThread(`compute thread ${start.thread}`);
  const worker = new Worker(script, { workerData: { ...start, trace: trace?.ring } satisfies ThreadStart });
  const waiting: Waiting[] = [];
  const who = `Compute thread ${start.thread}`;
  let dead: Error | undefined;
  let ready = false;

  /** What the thread was sent and has not computed. */
  const given = new Set<number>();
  let lease: LeaseUnderWay | undefined;

  const watch = watchThread(options, `${who} (${start.backend})`, (error) => die(error));
  const workNow = (): WorkName | undefined => {
    if (waiting.length === 0) return undefined;
    const [{ name }] = waiting;
    if (name !== "lease") return name;
    return given.has(lease!.next) ? "microBatch" : undefined;
  };
  const wait = <T>(name: Waiting["name"]): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push({ name, resolve, reject });
      watch.isAt(workNow());
    });
  const endLease = (): void => {
    if (lease === undefined) return;
    for (let number = lease.next; number < lease.end; number++) given.delete(number);
    for (const { resolve } of lease.waiting) resolve();
    lease = undefined;
  };
  const die = (error: Error): void => {
    dead ??= error;
    watch.stop();
    for (const { reject } of waiting.splice(0)) reject(dead);
    endLease();
  };
  worker.on("message", (message: Reply) => {
    // A closed thread's last replies still come; whoever waited for them has been told.
    if (dead !== undefined) return;
    if ("notice" in message) return notice?.(message.notice);
    watch.answered();
    if ("computed" in message) {
      given.delete(message.computed);
      lease!.next = message.computed + 1;
      while (lease!.waiting.length > 0 && lease!.waiting[0].number < lease!.next) lease!.waiting.shift()!.resolve();
    } else {
      const asked = waiting.shift()!;
      if (asked.name === "lease") endLease();
      if ("failed" in message) asked.reject(errorOf(message.failed));
      else asked.resolve(("ready" in message ? message.ready : message.reply) as never);
    }
    watch.isAt(workNow());
  });
  worker.on("error", (error) => {
    // What the machine refuses a new thread it would refuse the next one too.
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
      if (name === "lease") {
        const { lo, hi, firstMicroBatch } = request as LeaseRequest;
        lease = { next: firstMicroBatch + lo, end: firstMicroBatch + hi, waiting: [] };
        for (const number of given) if (number < lease.next || number >= lease.end) given.delete(number);
      }
      worker.postMessage({ name, ...request });
      return wait(name);
    },
    give(batch) {
      worker.postMessage({ name: "samples", batch } satisfies Note);
      given.add(batch.number);
      watch.isAt(workNow());
    },
    computed: (number) =>
      new Promise((resolve) => {
        if (lease === undefined || number < lease.next) resolve();
        else lease.waiting.push({ number, resolve });
      }),
    abandon: () => worker.postMessage({ name: "abandon" } satisfies Note),
    close,
  };
}

/** Looks regularly at what a thread is doing, and gives it up when that takes too long. */
function watchThread(
  { patience, warn, lookMs = LOOK_MS }: ComputeThreadOptions,
  who: string,
  giveUp: (error: HungThreadError) => void,
) {
  const watchdog = createWatchdog(patience);
  let work: WorkName | undefined;
  let startedAt = 0;
  let lookedAt = performance.now();
  const seconds = (ms: number): string => `${Number((ms / 1000).toPrecision(2))} s`;
  const look = (): void => {
    const now = performance.now();
    const passed = watchdog.passed(Math.min(now - lookedAt, 2 * lookMs));
    lookedAt = now;
    if (passed === undefined) return;
    const { warnMs, endMs } = passed.limits;
    if (passed.kind === "end")
      return giveUp(new HungThreadError(`${who} hangs: ${WORK[work!]} has not finished in ${seconds(endMs)}.`));
    const usual = passed.usualMs === undefined ? "" : `, which usually takes ${seconds(passed.usualMs)}`;
    const then = Number.isFinite(endMs) ? `; it is given up after ${seconds(endMs)}` : "";
    warn?.(`${who} has been at ${WORK[work!]} for ${seconds(warnMs)}${usual}${then}.`);
  };
  const timer = setInterval(look, lookMs);
  timer.unref();
  return {
    /** What the thread is at: when it is still at what it was at before, nothing changes. */
    isAt(name: WorkName | undefined): void {
      if (name === undefined || work !== undefined) return;
      work = name;
      startedAt = performance.now();
      watchdog.started(name);
    },
    /** The thread has done what it was at. */
    answered(): void {
      work = undefined;
      watchdog.answered(performance.now() - startedAt);
    },
    stop: () => clearInterval(timer),
  };
}

function errorOf({ message, stack, code, microBatch }: Failure): Error {
  if (microBatch !== undefined) return new NonFiniteError(microBatch, message);
  if (code !== undefined) return new IsobatchError(code as ErrorCode, message);
  const error = new Error(message);
  error.stack = stack;
  return error;
}
