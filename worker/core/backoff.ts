const FIRST_MS = 50;
const MAX_MS = 2_000;

/** How long to wait before another attempt after `failures` in a row: the time doubles, up to 2 s. */
export function backoffMs(failures: number): number {
  return Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures, 10));
}
