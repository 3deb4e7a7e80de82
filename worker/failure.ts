import { IsobatchError, messageOf } from "../shared/errors.js";
import { type Connection, cancel, createWriter, readMessages, type WorkerReportMessage } from "../shared/wire/index.js";
import { pause } from "./pause.js";

/** What is reported to the server about an error: its message, and whether only a connection caused it. */
export function failureOf(error: unknown): { reason: string; transient: boolean } {
  const transient = error instanceof IsobatchError && ["unavailable", "interrupted"].includes(error.code);
  return { reason: messageOf(error), transient };
}

const REPORT_MS = 2_000;

/**
 * Reports to the server why a worker that has joined can't attach, so that the server need not wait for others that
 * would fail in the same way. Never rejects: if the report can't be sent, the server goes without it.
 */
export async function reportFailure(connection: Connection, workerId: string, error: unknown): Promise<void> {
  const what = "The worker's stream to the server";
  const stream = connection.coordinator.work();
  const over = new AbortController();
  const send = async (): Promise<void> => {
    const writer = createWriter<WorkerReportMessage>(stream, { stallMs: REPORT_MS, what });
    await writer.write({ attach: { workerId } });
    await writer.write({ failed: failureOf(error) });
    writer.end();
    // The server ends the stream once it has received the report.
    for await (const _ of readMessages(stream, { what, signal: over.signal }));
  };
  await Promise.race([send().catch(() => {}), pause(REPORT_MS, over.signal)]);
  over.abort();
  cancel(stream);
}
