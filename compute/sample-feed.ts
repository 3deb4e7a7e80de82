/**
 * Samples on their way to a thread: fetched one ahead of those that were sent, and sent one ahead of those that are
 * computed, so that a thread never waits while samples are there. The first ones of a lease may be sent long before it,
 * for the thread to decode while it waits for weights.
 */
import type { ComputeThread } from "./compute-thread.js";
import type { SampleBatch } from "./gradients.js";

/**
 * Fetches a batch's raw bytes by its number: n of a micro-batch, or that of an evaluation batch. Bytes in shared memory
 * reach the threads without being copied.
 */
export type FetchBatch = (number: number) => Promise<Omit<SampleBatch, "number">>;

export interface SampleFeed {
  /** Sends the thread a micro-batch's samples ahead of the lease that it belongs to. */
  prepare(number: number, fetchBatch: FetchBatch): void;
  /**
   * Sends micro-batches [first, end) of the lease that the thread was given last, but for what it has of them already.
   * What was prepared of others is forgotten, as it is by the thread. Resolves when all are computed.
   */
  send(first: number, end: number, fetchBatch: FetchBatch, signal: AbortSignal): Promise<void>;
}

/** A batch that the thread has, or is to be sent. */
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
      // Whoever computes the lease fetches again, and meets the failure then.
      sent.catch(() => isWanted() && ahead.delete(number));
      ahead.set(number, sent);
    },

    async send(first, end, fetchBatch, signal) {
      const isOurs = (number: number): boolean => number >= first && number < end;
      for (const number of ahead.keys()) if (!isOurs(number)) ahead.delete(number);
      let next = first;
      try {
        await askEach(
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
 * Fetches item after item and asks for each, keeping one fetched and one asked ahead, so that whoever answers never
 * waits while items are there. Settles only when nothing asked is outstanding.
 */
export async function askEach<T>(
  nextNumber: () => number | undefined,
  fetch: (number: number) => Promise<T>,
  signal: AbortSignal,
  ask: (item: T) => Promise<void>,
): Promise<void> {
  const fetchNext = (): Promise<T> | undefined => {
    const number = nextNumber();
    if (number === undefined) return undefined;
    const fetched = fetch(number);
    // Its failure is met where it is awaited; until then, and if something else fails before, it is no surprise.
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
