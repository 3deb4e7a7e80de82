import { createRandom, type Random, seedOf } from "../../shared/random.js";

/**
 * Virtual time: one queue ordered by (time, seeded tie). Everything in a simulated world happens through an entry of it, so
 * a seed determines the whole history.
 */
export interface Queue {
  readonly nowMs: number;
  /** Calls `action` after `delayMs`; entries with the same time run in an order drawn by the seed. */
  after(delayMs: number, action: () => void): void;
  /** Runs entries until none is left, `untilMs` is reached, or `isOver` says so. */
  run(untilMs: number, isOver: () => boolean): void;
}

export function createQueue(seed: number, afterEach: () => void): Queue {
  const ties: Random = createRandom(seedOf(seed, "ties"));
  // A binary heap; a world has a few hundred entries at a time.
  const heap: { atMs: number; tie: number; action: () => void }[] = [];
  const before = (a: number, b: number): boolean =>
    heap[a].atMs < heap[b].atMs || (heap[a].atMs === heap[b].atMs && heap[a].tie < heap[b].tie);
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b], heap[a]];
  };
  let nowMs = 0;

  function push(entry: (typeof heap)[number]): void {
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(at, parent)) break;
      swap(at, parent);
      at = parent;
    }
  }

  function pop(): (typeof heap)[number] {
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      for (let at = 0; ; ) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && before(child, least)) least = child;
        if (least === at) break;
        swap(at, least);
        at = least;
      }
    }
    return top;
  }

  return {
    get nowMs() {
      return nowMs;
    },
    after: (delayMs, action) => push({ atMs: nowMs + delayMs, tie: ties.next(), action }),
    run(untilMs, isOver) {
      while (heap.length > 0 && heap[0].atMs <= untilMs && !isOver()) {
        const entry = pop();
        nowMs = entry.atMs;
        entry.action();
        afterEach();
      }
    },
  };
}
