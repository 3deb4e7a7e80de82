import type { Readable, Writable } from "node:stream";
import { type ServerDuplexStream, type ServerReadableStream, type StatusObject, status } from "@grpc/grpc-js";
import { IsobatchError, messageOf } from "../errors.js";
import { resetServerCall } from "./http2-server.js";
import { createProgressTimer } from "./progress.js";
import { fromStatus, isServiceError } from "./status.js";

/**
 * Reads and writes streams of messages, with back-pressure and a bound on every wait. grpc-js has traps here: a write's
 * callback is never called when the call is cancelled at the wrong moment, an "error" event without a listener ends the
 * process, and leaving a `for await` early does not end the call.
 */

/** Any of grpc-js's streams to which these messages can be written; a client's has `cancel`. */
export type WritableCall<Message> = Writable & {
  write(message: Message, done?: (error?: Error | null) => void): boolean;
  cancel?(): void;
};
/** Any of grpc-js's streams that can be read. */
export type ReadableCall = Readable & { cancel?(): void };
/** The messages that are read from it. */
export type MessageOf<Call> = Call extends { deserialize(bytes: Buffer): infer Message }
  ? Message
  : Call extends ServerDuplexStream<infer Message, infer _>
    ? Message
    : Call extends ServerReadableStream<infer Message, infer _>
      ? Message
      : never;

export interface MessageWriter<Message> {
  /**
   * Sends `message`. When the promise resolves, the message has been copied: the memory that it refers to may change.
   * Waiting for it before the next write bounds what is in flight to one message, and costs no speed: grpc-js sends the
   * next message only then anyway.
   *
   * @throws IsobatchError with the reason when the call has ended. Then, too, the memory may change.
   */
  write(message: Message): Promise<void>;
  /** Nothing more will be written. */
  end(): void;
  /** Aborted when the call has ended; its reason is the IsobatchError. */
  readonly ended: AbortSignal;
}

export interface StreamOptions {
  /** With bytes waiting and none moving for this long, the call is cancelled. */
  stallMs: number;
  /** The call and the other side, for errors: "the push to 10.0.0.1:7400". */
  what: string;
}

/** The writing side of `stream`; nothing else may write to it. */
export function createWriter<Message>(
  stream: WritableCall<Message>,
  { stallMs, what }: StreamOptions,
): MessageWriter<Message> {
  const ended = new AbortController();
  const pending = new Set<(reason: IsobatchError) => void>();
  const end = (error: IsobatchError): void => {
    if (ended.signal.aborted) return;
    ended.abort(error);
    timer.close();
    for (const reject of pending) reject(error);
    pending.clear();
  };
  const timer = createProgressTimer(stallMs, () => {
    end(new IsobatchError("unavailable", `${what} made no progress for ${stallMs / 1000} s.`));
    cancel(stream);
  });
  watchEnd(stream, what, end);

  return {
    write(message) {
      return new Promise((resolve, reject) => {
        if (ended.signal.aborted) return reject(ended.signal.reason);
        pending.add(reject);
        timer.wait();
        stream.write(message, (error) => {
          if (!pending.delete(reject)) return;
          timer.moved();
          if (pending.size === 0) timer.stop();
          if (error) reject(asIsobatchError(error, what));
          else resolve();
        });
      });
    },
    end: () => stream.end(),
    ended: ended.signal,
  };
}

/**
 * The messages of `stream`, one by one; no more than 16 wait here for a slow reader, the others wait at the sender.
 * Leaving the loop early cancels a client's call; a server's is left to its handler, so that the answer or error with
 * which the handler ends still reaches the client. Without `stallMs`, a silent stream may stay silent forever.
 *
 * @throws IsobatchError with the reason when the call has ended, unless it ended successfully.
 */
export async function* readMessages<Call extends ReadableCall>(
  stream: Call,
  { stallMs, what, signal }: { stallMs?: number; what: string; signal?: AbortSignal },
): AsyncGenerator<MessageOf<Call>, void, undefined> {
  let reason: IsobatchError | undefined;
  const stop = (error: IsobatchError): void => {
    reason ??= error;
    cancel(stream);
  };
  const timer =
    stallMs === undefined
      ? undefined
      : createProgressTimer(stallMs, () =>
          stop(new IsobatchError("unavailable", `${what} sent nothing for ${stallMs / 1000} s.`)),
        );
  const abort = (): void => stop(new IsobatchError("interrupted", `${what} was cancelled.`));
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  let complete = false;
  try {
    timer?.wait();
    // An error may still arrive after reading has stopped.
    stream.on("error", () => {});
    // Not destroyed at its end: a bidirectional stream has a writing side, which would then never be ended.
    for await (const message of stream.iterator({ destroyOnReturn: false })) {
      timer?.stop();
      yield message;
      timer?.wait();
    }
    complete = true;
  } catch (error) {
    throw reason ?? asIsobatchError(error, what);
  } finally {
    timer?.close();
    signal?.removeEventListener("abort", abort);
    if (!complete && stream.cancel) cancel(stream);
  }
  if (reason) throw reason;
}

/** Ends a call at once, on either side, even if messages are still to be sent. */
export function cancel(stream: (Writable | Readable) & { cancel?(): void }): void {
  if (stream.cancel) cancelClientCall(stream as { cancel(): void });
  else resetServerCall(stream);
}

/**
 * Cancels a client's call after the present turn of the event loop. During a read, as when the end of one call makes us
 * cancel another, Node's HTTP/2 (seen in 20.20) may instead write empty frames endlessly, until memory runs out.
 */
export function cancelClientCall(call: { cancel(): void }): void {
  setImmediate(() => call.cancel());
}

/** Calls `end` when the call of `stream` is over, at the latest when its connection is. */
function watchEnd(stream: Writable, what: string, end: (error: IsobatchError) => void): void {
  const over = (): IsobatchError => new IsobatchError("unavailable", `${what} has ended: the other side has left.`);
  stream.on("error", (error) => end(asIsobatchError(error, what)));
  stream.on("status", (result: StatusObject) => end(result.code === status.OK ? over() : fromStatus(result, what)));
  stream.on("cancelled", () => end(over()));
  stream.on("close", () => end(over()));
}

function asIsobatchError(error: unknown, what: string): IsobatchError {
  if (error instanceof IsobatchError) return error;
  if (isServiceError(error)) return fromStatus(error, what);
  return new IsobatchError("unavailable", `${what} broke off: ${messageOf(error)}.`, { cause: error });
}
