/**
 * When a process that died is started again: soon, later and later if it keeps dying, and not at all once it has
 * died too often in a row. How long it lived does not matter, for there are starts that take minutes: a row ends only
 * with a process that did what it is there for. Pure: the supervisor acts on it.
 */
export interface Restarts {
  /**
   * @param worked whether the process has done anything of use
   * @returns how long to wait before it is started again; undefined: give up
   */
  afterDeath(worked: boolean): number | undefined;
}

export const RESTARTS_IN_A_ROW_MAX = 5;
const DELAY_FIRST_MS = 200;

export function createRestarts(): Restarts {
  let inARow = 0;
  return {
    afterDeath(worked) {
      if (worked) inARow = 0;
      if (inARow === RESTARTS_IN_A_ROW_MAX) return undefined;
      inARow += 1;
      return DELAY_FIRST_MS * 2 ** (inARow - 1);
    },
  };
}
