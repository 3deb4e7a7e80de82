/**
 * The main thread's end of one compute thread: requests become promises. Requests may be outstanding together; they
 * are answered in order, so the next micro-batch's samples lie ready in the thread while it computes.
 */
import { Worker } from "node:worker_threads";
import { type ErrorCode, IsobatchError, messageOf } from "../../shared/errors.js";
import type { Numerics } from "../backends/index.js";
import { NonFiniteError } from "./non-finite-error.js";
import type { Failure, Reply, ReplyOf, RequestName, RequestOf, ThreadStart } from "./protocol.js";

export interface ComputeThread {
  readonly numerics: Numerics;
  readonly device: string;
  /** Rejects with what the thread threw, or with its death. */
  ask<Name extends RequestName>(name: Name, request: RequestOf<Name>): Promise<ReplyOf<Name>>;
  close(): Promise<void>;
}

/** A thread has ended of itself: whatever it held is lost, and its pool computes no more. */
export class ThreadDeathError extends Error {
  override readonly name = "ThreadDeathError";
}

/**
 * Starts a thread; resolves when its backend and model are ready, and rejects with the reason they are not.
 * @param notice is told what the thread has to tell people.
 */
export async function startComputeThread(start: ThreadStart, notice?: (line: string) => void): Promise<ComputeThread> {
  const worker = new Worker(new URL("./thread.js", import.meta.url), { workerData: start });
  const waiting: { resolve: (reply: never) => void; reject: (error: Error) => void }[] = [];
  let dead: Error | undefined;

  const ready = new Promise<{ numerics: Numerics; device: string }>((resolve, reject) => {
    waiting.push({ resolve, reject });
  });
  const die = (error: Error): void => {
    dead ??= error;
    for (const { reject } of waiting.splice(0)) reject(dead);
  };
  worker.on("message", (message: Reply) => {
    // A closed thread's last replies still come; whoever waited for them has been told.
    if (dead !== undefined) return;
    if ("notice" in message) return notice?.(message.notice);
    const asked = waiting.shift()!;
    if ("failed" in message) asked.reject(errorOf(message.failed));
    else asked.resolve(("ready" in message ? message.ready : message.reply) as never);
  });
  worker.on("error", (error) => {
    die(new ThreadDeathError(`Compute thread ${start.thread} crashed: ${messageOf(error)}`, { cause: error }));
  });
  worker.on("exit", (code) =>
    die(new ThreadDeathError(`Compute thread ${start.thread} ended with exit code ${code}.`)),
  );

  const close = async (): Promise<void> => {
    die(new Error(`Compute thread ${start.thread} is closed.`));
    await worker.terminate();
  };
  const { numerics, device } = await ready.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    numerics,
    device,
    ask(name, request) {
      if (dead !== undefined) return Promise.reject(dead);
      return new Promise((resolve, reject) => {
        worker.postMessage({ name, ...request });
        waiting.push({ resolve, reject });
      });
    },
    close,
  };
}

function errorOf({ message, stack, code, microBatch }: Failure): Error {
  if (microBatch !== undefined) return new NonFiniteError(microBatch, message);
  if (code !== undefined) return new IsobatchError(code as ErrorCode, message);
  const error = new Error(message);
  error.stack = stack;
  return error;
}
