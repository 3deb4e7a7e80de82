/**
 * The calls over which a worker pushes to one shard. A call is opened when computing its lease starts: when there are
 * sums, its headers have been sent and the shard is waiting, instead of learning of the push with its first chunks.
 *
 * Each call carries one lease. A longer call would hold up the pushes after one that waits for room, perhaps including
 * the push that makes room.
 */
import { IsobatchError } from "../shared/errors.js";
import {
  type Connection,
  cancel,
  createWriter,
  type Frame,
  fromStatus,
  type MessageWriter,
  type PushMessage,
} from "../shared/wire/index.js";
import type { ShardLink } from "./shard-link.js";

export interface PushCall {
  readonly connection: Connection;
  readonly writer: MessageWriter<PushMessage | Frame>;
  /** Resolves once the shard has taken all; rejects with why it has not. */
  readonly answer: Promise<void>;
  cancel(): void;
}

export interface PushCalls {
  /** Opens the next push's call, unless one is open. A failure is reported when that call is taken. */
  openNext(): void;
  /**
   * A call for one push: the open one, if there still is one, else a new one.
   * @throws {IsobatchError} `unavailable` if the shard can't be reached
   */
  take(): Promise<PushCall>;
  /** Cancels an open call that no push has taken. */
  close(): void;
}

/** A shard may hold a push back until it knows the step's plan, or has room for more sums. */
export const STALL_MS = 60_000;

export function createPushCalls(link: Pick<ShardLink, "connection" | "name">): PushCalls {
  let next: Promise<PushCall> | undefined;
  let closed = false;

  const open = async (): Promise<PushCall> => {
    const connection = await link.connection("sums");
    const what = `The push to ${link.name}`;
    if (closed) throw new IsobatchError("interrupted", `${what} was cancelled.`);
    let settle: { resolve: () => void; reject: (error: Error) => void };
    const answer = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    // Its end may come before any push has taken it.
    answer.catch(() => {});
    const stream = connection.shard.pushSums((error) =>
      error ? settle.reject(fromStatus(error, what)) : settle.resolve(),
    );
    const writer = createWriter<PushMessage | Frame>(stream, { stallMs: STALL_MS, what });
    return { connection, writer, answer, cancel: () => cancel(stream) };
  };

  const takeNext = (): Promise<PushCall> | undefined => {
    const taken = next;
    next = undefined;
    return taken;
  };

  return {
    openNext() {
      if (next !== undefined || closed) return;
      next = open();
      next.catch(() => {});
    },
    async take() {
      const ahead = await takeNext()?.catch(() => undefined);
      // A shard ends a call that has been open for long.
      return ahead === undefined || ahead.writer.ended.aborted ? open() : ahead;
    },
    close() {
      closed = true;
      takeNext()
        ?.then((call) => call.cancel())
        .catch(() => {});
    },
  };
}
