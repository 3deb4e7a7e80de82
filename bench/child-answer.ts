/** What a benchmark hears from the processes that it has started, and how it ends them. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

/** A step of the largest models takes a good part of it. */
const ANSWER_MS = 180_000;
const END_MS = 10_000;

/**
 * A process's next message.
 * @throws {Error} if it ends without one, or sends none for `limitMs`.
 */
export async function answerOf<Message>(child: ChildProcess, limitMs = ANSWER_MS): Promise<Message> {
  const stop = new AbortController();
  const { signal } = stop;
  const exit = once(child, "exit", { signal }).then(([code]) => {
    throw new Error(`The benchmark's process ended with code ${code}.`);
  });
  const overdue = wait(limitMs, undefined, { signal }).then(() => {
    throw new Error(`The benchmark's process has not answered for ${limitMs / 1000} s.`);
  });
  for (const failure of [exit, overdue]) failure.catch(() => {});
  try {
    const [message] = await Promise.race([once(child, "message", { signal }), exit, overdue]);
    return message as Message;
  } finally {
    stop.abort();
  }
}

/** Resolves when a process has ended, which it does with the channel to this one; it is killed if it has not after `limitMs`. */
export async function ended(child: ChildProcess, limitMs = END_MS): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  if (child.connected) child.disconnect();
  const overdue = setTimeout(() => child.kill("SIGKILL"), limitMs);
  await exit;
  clearTimeout(overdue);
}
