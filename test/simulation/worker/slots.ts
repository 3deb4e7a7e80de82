import type { Surroundings } from "./process.js";

/** A worker's slots for sums: numbers that a shard may read in place, so that reusing a slot too early shows. */
export interface Slots {
  readonly allotted: { readonly total: number; readonly perLease: number };
  /** Calls back with this many slots, once there are enough. */
  take(count: number, taken: (slots: number[]) => void): void;
  release(slots: readonly number[]): void;
  write(slot: number, sums: ReadonlyMap<number, number>): void;
  read(slot: number, chunk: number): number;
}

/** The contents of a slot that is being computed; not a sum. */
const UNFINISHED = new Map<number, number>();

export function createSlots({ world, stream }: Pick<Surroundings, "world" | "stream">): Slots {
  // Leases in these worlds have up to twelve leaves, and so up to seven nodes.
  const perLease = 7;
  const total = perLease + Math.floor(world.drawMs(`${stream} slots`, 0, perLease + 1));
  const contents: ReadonlyMap<number, number>[] = new Array(total).fill(UNFINISHED);
  const free = [...contents.keys()];
  let waiting: { count: number; taken: (slots: number[]) => void }[] = [];

  function takeNext(): void {
    for (let next = waiting[0]; next !== undefined && free.length >= next.count; next = waiting[0]) {
      waiting = waiting.slice(1);
      // The lowest numbers first, as in reality: those that were used last.
      const slots = free.sort((a, b) => a - b).splice(0, next.count);
      for (const slot of slots) contents[slot] = UNFINISHED;
      next.taken(slots);
    }
  }

  return {
    allotted: { total, perLease },
    take(count, taken) {
      waiting.push({ count, taken });
      takeNext();
    },
    release(slots) {
      for (const slot of slots) {
        if (free.includes(slot)) world.fail(undefined, `slot ${slot} of ${stream} is released twice`);
        free.push(slot);
      }
      takeNext();
    },
    write(slot, sums) {
      contents[slot] = sums;
    },
    read: (slot, chunk) => contents[slot].get(chunk) ?? -1,
  };
}
