/**
 * What this process waits for, by name, for the case in which a process ends while it waits, because nothing is left
 * that could end the wait. Node.js reports that only with exit code 13.
 */
const waits = new Set<{ readonly what: string }>();

/** @param what the end of a sentence: "nothing is left that could end the wait for …" */
export async function awaited<T>(what: string, promise: Promise<T>): Promise<T> {
  const wait = { what };
  waits.add(wait);
  try {
    return await promise;
  } finally {
    waits.delete(wait);
  }
}

/** The current waits, in the order in which they started. */
export function whatIsAwaited(): string[] {
  return [...waits].map(({ what }) => what);
}
