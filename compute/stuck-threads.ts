/**
 * Threads that can't be ended: one that is inside a native call ends when the call returns. Node.js waits for every
 * thread before it ends its process, so a process with such a thread would never end; it exits without waiting instead.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";

/** Ends this process at once, whatever its threads are doing; if it can't, it returns. */
export type Leave = (exitCode: number) => void;

const stuck = new Map<Worker, Leave>();

function leaveThem(exitCode: number): void {
  for (const leave of stuck.values()) leave(exitCode);
}

/**
 * Ends a thread, and waits at most `waitMs` for its end.
 * @returns whether it has ended; if not, this process still ends when it is done, through `leave`
 */
export async function endThread(worker: Worker, waitMs: number, leave: Leave): Promise<boolean> {
  const ended = worker.terminate().then(() => true);
  const waiting = new AbortController();
  const inTime = await Promise.race([
    ended,
    sleep(waitMs, false, { signal: waiting.signal }).catch(() => false),
  ]).finally(() => waiting.abort());
  if (inTime) return true;
  if (stuck.size === 0) process.once("exit", leaveThem);
  stuck.set(worker, leave);
  worker.unref();
  void ended.then(() => {
    stuck.delete(worker);
    if (stuck.size === 0) process.off("exit", leaveThem);
  });
  return false;
}
