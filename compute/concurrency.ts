/** Work on several threads at the same time, and work that must run one piece at a time. */

/**
 * Starts `work` on every thread and waits until all of them are idle. The first failure stops the others at their next
 * micro-batch, and the call rejects with it.
 *
 * @param work is given the signal to stop at, and may report through `fail` that it has failed before it settles
 */
export async function onEachThread<Thread, T>(
  threads: readonly Thread[],
  signal: AbortSignal | undefined,
  work: (thread: Thread, index: number, stop: AbortSignal, fail: (error: unknown) => void) => Promise<T>,
): Promise<T[]> {
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const fail = (error: unknown): void => failed.abort(error);
  const results = await Promise.allSettled(
    threads.map((thread, index) =>
      work(thread, index, stop, fail).catch((error: unknown) => {
        fail(error);
        throw error;
      }),
    ),
  );
  if (failed.signal.aborted) throw failed.signal.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}

/** Returns a function that runs asynchronous work one piece at a time, in the order of the calls. */
export function createSerialQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
  };
}
