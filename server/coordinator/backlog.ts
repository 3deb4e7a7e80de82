/**
 * Work that can wait while something urgent is done: it is done in order, a moment later, or as soon as something
 * depends on it.
 */
export interface Backlog {
  /** May do what waits already, when that is much. */
  add(work: () => void): void;
  /** Does all that waits. @throws what the work throws; what was to come after it is dropped */
  catchUp(): void;
}

/** Long enough for weights and leases to be on their way, and short beside a step. */
const DELAY_MS = 2;
const WAITING_MAX = 4;

/** @param onFailed hears what the work throws when nobody has called for it */
export function createBacklog(onFailed: (error: unknown) => void): Backlog {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  function catchUp(): void {
    clearTimeout(timer);
    timer = undefined;
    const all = waiting;
    waiting = [];
    for (const work of all) work();
  }

  return {
    add(work) {
      if (waiting.length === WAITING_MAX) catchUp();
      waiting.push(work);
      timer ??= setTimeout(() => {
        try {
          catchUp();
        } catch (error) {
          onFailed(error);
        }
      }, DELAY_MS);
    },
    catchUp,
  };
}
