import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 50;
const MAX_MS = 2_000;

/** How long to wait before another attempt after `failures` of them in a row: doubling, at most 2 s. */
export function backoffMs(failures: number): number {
  return Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures, 10));
}

/** Waits, or until the signal is aborted; never throws. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
