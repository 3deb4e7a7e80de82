/**
 * What this process waits for, by name, for the one case in which a process ends while it waits: when nothing is left
 * that could end the wait. Node.js reports that with nothing but exit code 13.
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

/** What is waited for now, in the order in which the waits started. */
export function whatIsAwaited(): string[] {
  return [...waits].map(({ what }) => what);
}
