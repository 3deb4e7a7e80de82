/** Times as many calls as there is time for. */
import { measure } from "../gradients.js";

export interface Measuring {
  readonly runsMax: number;
  /** After this time no more calls are started, except for the first few. */
  readonly msMax: number;
}

const RUNS_MIN = 3;

/** The time of each call, in ms. */
export function timesOf(call: () => void, { runsMax, msMax }: Measuring): number[] {
  const times: number[] = [];
  const end = performance.now() + msMax;
  while (times.length < runsMax && (times.length < RUNS_MIN || performance.now() < end))
    times.push(...measure(call, 1));
  return times;
}

/** The same of calls that another thread makes, one after the other. */
export async function laterTimesOf(call: () => unknown, { runsMax, msMax }: Measuring): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + msMax;
  while (times.length < runsMax && (times.length < RUNS_MIN || performance.now() < end)) {
    const begun = performance.now();
    await call();
    times.push(performance.now() - begun);
  }
  return times;
}
