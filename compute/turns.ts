/** Work on several threads at a time, and one piece of it after the other. */

/**
 * Starts `work` on every thread and waits for all of them to rest. The first failure stops the others at their next
 * micro-batch and is what the call rejects with.
 *
 * @param work gets the signal to stop at, and may say through `fail` that it has failed before it rests.
 */
export async function together<Thread, T>(
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

/** Runs asynchronous work one after the other, in the order of the calls. */
export function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
  };
}
