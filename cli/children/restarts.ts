/**
 * When a process that died is started again: soon, later and later if it goes on dying, and not at all once it has
 * died too often in a row. A pure decision; the supervisor acts on it.
 */
export interface Restarts {
  /**
   * @param livedMs how long the process has lived
   * @returns how long to wait before it is started again; undefined: give up
   */
  afterDeath(livedMs: number): number | undefined;
}

export const RESTARTS_IN_A_ROW_MAX = 5;
const DELAY_FIRST_MS = 200;
/** Whoever lived so long was well: its death is the first of a new row. */
const HEALTHY_MS = 60_000;

export function createRestarts(): Restarts {
  let inARow = 0;
  return {
    afterDeath(livedMs) {
      if (livedMs >= HEALTHY_MS) inARow = 0;
      if (inARow === RESTARTS_IN_A_ROW_MAX) return undefined;
      inARow += 1;
      return DELAY_FIRST_MS * 2 ** (inARow - 1);
    },
  };
}
