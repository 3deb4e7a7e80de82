/** The free slots of a worker: leases take slots, and release them when nothing reads from them any more. */
export interface SlotPool {
  /**
   * Takes `count` free slots, the lowest numbers first; if there are not enough, resolves when others have been
   * released. Rejects with the signal's reason if that is aborted first.
   */
  take(count: number, signal?: AbortSignal): Promise<number[]>;
  release(slots: readonly number[]): void;
  readonly taken: number;
  /** The number of slots so far. */
  readonly count: number;
}

interface Waiting {
  readonly count: number;
  resolve(slots: number[]): void;
}

/**
 * @param max the most slots that there can ever be
 * @param grow makes room for a total number of slots
 */
export function createSlotPool(max: number, grow: (count: number) => void): SlotPool {
  let slots = 0;
  let free: number[] = [];
  const waiting: Waiting[] = [];

  const tryTake = (count: number): number[] | undefined => {
    if (free.length < count) {
      const wanted = Math.min(max, slots + count - free.length);
      grow(wanted);
      free.push(...Array.from({ length: wanted - slots }, (_, i) => slots + i));
      slots = wanted;
    }
    if (free.length < count) return undefined;
    // The lowest numbers first: their memory has been touched before.
    free.sort((a, b) => a - b);
    const taken = free.slice(0, count);
    free = free.slice(count);
    return taken;
  };

  const serveWaiting = (): void => {
    while (waiting.length > 0) {
      const taken = tryTake(waiting[0].count);
      if (taken === undefined) return;
      waiting.shift()!.resolve(taken);
    }
  };

  const waitFor = (count: number, signal: AbortSignal | undefined): Promise<number[]> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(waiter), 1);
        reject(signal!.reason);
        serveWaiting();
      };
      const waiter: Waiting = {
        count,
        resolve(taken) {
          signal?.removeEventListener("abort", leave);
          resolve(taken);
        },
      };
      waiting.push(waiter);
      signal?.addEventListener("abort", leave, { once: true });
    });

  return {
    async take(count, signal) {
      signal?.throwIfAborted();
      const taken = waiting.length === 0 ? tryTake(count) : undefined;
      return taken ?? waitFor(count, signal);
    },
    release(released) {
      free.push(...released);
      serveWaiting();
    },
    get taken() {
      return slots - free.length;
    },
    get count() {
      return slots;
    },
  };
}
