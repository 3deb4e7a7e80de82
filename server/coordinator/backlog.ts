/**
 * Work that can wait while something urgent is done. It is done in order: a moment later, or as soon as something
 * depends on it.
 */
export interface Backlog {
  /** Adds work. If much is waiting already, that is done first. */
  add(work: () => void): void;
  /** Does all waiting work. @throws what the work throws; the work behind it is dropped */
  catchUp(): void;
}

/** Long enough for weights and leases to be sent first, and short compared with a step. */
const DELAY_MS = 2;
const WAITING_MAX = 4;

/** @param onFailed is called with what the work throws when it runs by itself */
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
