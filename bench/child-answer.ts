/** How a benchmark receives messages from the processes that it started, and how it ends them. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

/** Long enough for a step of the largest models, which takes a good part of it. */
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

/** Closes the channel to a process, which ends it; after `limitMs` it is killed. Resolves when it has ended. */
export async function ended(child: ChildProcess, limitMs = END_MS): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  if (child.connected) child.disconnect();
  const overdue = setTimeout(() => child.kill("SIGKILL"), limitMs);
  await exit;
  clearTimeout(overdue);
}
