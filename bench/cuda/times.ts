/** Times as many calls as there is time for. */
export interface Measuring {
  readonly runsMax: number;
  /** After this time no more calls are started, except for the first few. */
  readonly msMax: number;
}

const RUNS_MIN = 3;

/** The time of each call, in ms. A call that returns a promise lasts until that is settled. */
export async function timesOf(call: () => unknown, { runsMax, msMax }: Measuring): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + msMax;
  while (times.length < runsMax && (times.length < RUNS_MIN || performance.now() < end)) {
    const start = performance.now();
    const made = call();
    if (made instanceof Promise) await made;
    times.push(performance.now() - start);
  }
  return times;
}
