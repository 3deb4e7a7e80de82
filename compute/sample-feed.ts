/**
 * Sends samples to a thread: they are fetched one ahead of those that were sent, and sent one ahead of those that are
 * computed, so that a thread never waits while samples are available. The first ones of a lease may be sent long before
 * it, for the thread to decode while it waits for weights.
 */

import type { SampleBatch } from "./gradients/index.js";
import type { ComputeThread } from "./thread-client.js";

/**
 * Fetches the raw bytes of a batch by its number: n of a micro-batch, or the number of an evaluation batch. Bytes in
 * shared memory reach the threads without being copied.
 */
export type FetchBatch = (number: number) => Promise<Omit<SampleBatch, "number">>;

export interface SampleFeed {
  /** Sends the thread a micro-batch's samples ahead of the lease that it belongs to. */
  prepare(number: number, fetchBatch: FetchBatch): void;
  /**
   * Sends micro-batches [first, end) of the lease that the thread was given last, except those that it already has.
   * Others that were prepared are dropped, here and in the thread. Resolves when all are computed.
   */
  send(first: number, end: number, fetchBatch: FetchBatch, signal: AbortSignal): Promise<void>;
}

/** A batch that the thread has or will be sent. */
interface Fetched {
  readonly number: number;
  readonly batch?: SampleBatch;
}

export function createSampleFeed(thread: Pick<ComputeThread, "give" | "computed">): SampleFeed {
  const ahead = new Map<number, Promise<Fetched>>();
  const fetch = async (number: number, fetchBatch: FetchBatch): Promise<Fetched> => ({
    number,
    batch: { ...(await fetchBatch(number)), number },
  });
  return {
    prepare(number, fetchBatch) {
      if (ahead.has(number)) return;
      const isWanted = (): boolean => ahead.get(number) === sent;
      const sent: Promise<Fetched> = fetch(number, fetchBatch).then((fetched) => {
        if (!isWanted()) return fetched;
        thread.give(fetched.batch!);
        return { number };
      });
      // The lease's own computation fetches again, and reports the failure then.
      sent.catch(() => isWanted() && ahead.delete(number));
      ahead.set(number, sent);
    },

    async send(first, end, fetchBatch, signal) {
      const isOurs = (number: number): boolean => number >= first && number < end;
      for (const number of ahead.keys()) if (!isOurs(number)) ahead.delete(number);
      let next = first;
      try {
        await requestEach(
          () => (next < end ? next++ : undefined),
          (number) => ahead.get(number) ?? fetch(number, fetchBatch),
          signal,
          ({ number, batch }) => {
            if (batch !== undefined) thread.give(batch);
            return thread.computed(number);
          },
        );
      } finally {
        for (const number of ahead.keys()) if (isOurs(number)) ahead.delete(number);
      }
    },
  };
}

/**
 * Fetches items in order and makes a request for each, keeping one fetched and one requested ahead, so that the
 * answering thread never waits while items are available. Settles only when no request is outstanding.
 */
export async function requestEach<T>(
  nextNumber: () => number | undefined,
  fetch: (number: number) => Promise<T>,
  signal: AbortSignal,
  ask: (item: T) => Promise<void>,
): Promise<void> {
  const fetchNext = (): Promise<T> | undefined => {
    const number = nextNumber();
    if (number === undefined) return undefined;
    const fetched = fetch(number);
    // Its failure is handled where it is awaited; until then, and if something else fails before, it must not be
    // unhandled.
    fetched.catch(() => {});
    return fetched;
  };
  let asked: Promise<void> = Promise.resolve();
  try {
    let fetched = fetchNext();
    while (fetched !== undefined) {
      const item = await abortable(fetched, signal);
      fetched = fetchNext();
      const before = asked;
      asked = ask(item);
      asked.catch(() => {});
      await abortable(before, signal);
    }
    await abortable(asked, signal);
  } catch (error) {
    await asked.catch(() => {});
    throw error;
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
