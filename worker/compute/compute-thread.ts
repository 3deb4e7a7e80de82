/**
 * The main thread's end of one compute thread: requests become promises. Requests may be outstanding together; they
 * are answered in order, so the next micro-batch's samples lie ready in the thread while it computes.
 */
import { Worker } from "node:worker_threads";
import { type ErrorCode, IsobatchError } from "../../shared/errors.js";
import { reasonOf, systemError } from "../../shared/system-errors.js";
import { traceThread } from "../../shared/trace/index.js";
import type { Numerics } from "../backends/index.js";
import { NonFiniteError } from "./non-finite-error.js";
import type { Failure, Reply, ReplyOf, RequestName, RequestOf, ThreadStart } from "./protocol.js";
import { endThread, type Leave } from "./stuck-threads.js";
import { createWatchdog, type Patience } from "./watchdog.js";

export interface ComputeThread {
  readonly numerics: Numerics;
  readonly device: string;
  /** Rejects with what the thread threw, or with its death. */
  ask<Name extends RequestName>(name: Name, request: RequestOf<Name>): Promise<ReplyOf<Name>>;
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

/** What a thread is doing, in words. */
const WORK: Record<RequestName | "start", string> = {
  start: "opening its backend and model",
  load: "loading the weights",
  fold: "starting a lease",
  microBatch: "a micro-batch's gradient",
  nodes: "ending a lease",
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

/** Starts a thread; resolves when its backend and model are ready, and rejects with the reason they are not. */
export async function startComputeThread(options: ComputeThreadOptions): Promise<ComputeThread> {
  const { start, notice, leave, script = new URL("./thread.js", import.meta.url) } = options;
  const trace = traceThread(`compute thread ${start.thread}`);
  const worker = new Worker(script, { workerData: { ...start, trace: trace?.ring } satisfies ThreadStart });
  const waiting: Waiting[] = [];
  const who = `Compute thread ${start.thread}`;
  let dead: Error | undefined;
  let ready = false;

  const watch = watchThread(options, `${who} (${start.backend})`, (error) => die(error));
  const wait = <T>(name: Waiting["name"]): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push({ name, resolve, reject });
      if (waiting.length === 1) watch.started(name);
    });
  const die = (error: Error): void => {
    dead ??= error;
    watch.stop();
    for (const { reject } of waiting.splice(0)) reject(dead);
  };
  worker.on("message", (message: Reply) => {
    // A closed thread's last replies still come; whoever waited for them has been told.
    if (dead !== undefined) return;
    if ("notice" in message) return notice?.(message.notice);
    const asked = waiting.shift()!;
    watch.answered();
    if (waiting.length > 0) watch.started(waiting[0].name);
    if ("failed" in message) asked.reject(errorOf(message.failed));
    else asked.resolve(("ready" in message ? message.ready : message.reply) as never);
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
      worker.postMessage({ name, ...request });
      return wait(name);
    },
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
  let work = "";
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
      return giveUp(new HungThreadError(`${who} hangs: ${work} has not finished in ${seconds(endMs)}.`));
    const usual = passed.usualMs === undefined ? "" : `, which usually takes ${seconds(passed.usualMs)}`;
    const then = Number.isFinite(endMs) ? `; it is given up after ${seconds(endMs)}` : "";
    warn?.(`${who} has been at ${work} for ${seconds(warnMs)}${usual}${then}.`);
  };
  const timer = setInterval(look, lookMs);
  timer.unref();
  return {
    started(name: Waiting["name"]): void {
      work = WORK[name];
      startedAt = performance.now();
      watchdog.started(name);
    },
    answered: () => watchdog.answered(performance.now() - startedAt),
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
