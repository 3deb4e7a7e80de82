import { IsobatchError, messageOf } from "../shared/errors.js";
import { type Connection, cancel, createWriter, readMessages, type WorkerReportMessage } from "../shared/wire/index.js";
import { pause } from "./pause.js";

/** What the server is told of an error: its words, and whether only a connection is to blame. */
export function failureOf(error: unknown): { reason: string; transient: boolean } {
  const transient = error instanceof IsobatchError && ["unavailable", "interrupted"].includes(error.code);
  return { reason: messageOf(error), transient };
}

const TELL_MS = 2_000;

/**
 * Tells the server why a worker that has joined can't even attach, so that it need not wait for others that would fail
 * the same way. Never rejects: a server that can't be told does without.
 */
export async function tellWhyNot(connection: Connection, workerId: string, error: unknown): Promise<void> {
  const what = "The worker's stream to the server";
  const stream = connection.coordinator.work();
  const over = new AbortController();
  const tell = async (): Promise<void> => {
    const writer = createWriter<WorkerReportMessage>(stream, { stallMs: TELL_MS, what });
    await writer.write({ attach: { workerId } });
    await writer.write({ failed: failureOf(error) });
    writer.end();
    // The server ends the stream once it has heard it.
    for await (const _ of readMessages(stream, { what, signal: over.signal }));
  };
  await Promise.race([tell().catch(() => {}), pause(TELL_MS, over.signal)]);
  over.abort();
  cancel(stream);
}
