import type { Settings } from "../types/run.js";

/** The first message of a child. */
export const RUNNING = "running";

/** The first message to a child. */
export interface FirstMessage {
  readonly order: object;
  readonly settings: Settings;
}

/**
 * The other end of `startChild`: what a process does that was started with an IPC channel to the process it belongs
 * to. It says that it runs; it ends when that one is gone, and does not end by Ctrl-C, which a terminal sends to both. The channel
 * does not keep this process alive.
 */
export function followParent(): void {
  const end = (): never => process.exit(1);
  if (!process.connected) end();
  process.on("disconnect", end);
  process.on("SIGINT", () => {});
  // With a callback an error goes there; if the parent is gone meanwhile, "disconnect" follows.
  process.send?.(RUNNING, () => {});
  process.channel?.unref();
}

const waiting: unknown[] = [];
let take: ((message: unknown) => void) | undefined;
let isListening = false;

/** The next message of the parent, of which none is lost. This process lives at least until it comes. */
export async function nextMessage(): Promise<unknown> {
  // Node.js drops what comes while nobody listens.
  if (!isListening) process.on("message", receive);
  isListening = true;
  if (waiting.length > 0) return waiting.shift();
  process.channel?.ref();
  try {
    return await new Promise((resolve) => {
      take = resolve;
    });
  } finally {
    process.channel?.unref();
  }
}

function receive(message: unknown): void {
  if (take === undefined) waiting.push(message);
  else take(message);
  take = undefined;
}
