import type { FreeSlots } from "./staging.js";

/** Slots are numbers from 0 on; one that was given back is taken again before a new one is made. */
export interface CountedSlots extends FreeSlots {
  readonly used: number;
}

/** Staged sums may take so much memory before pushes have to wait their turn. */
const STAGED_BYTES_MAX = 2 ** 30;
/** However long its chunks are, a shard has room for so many nodes of each. */
const NODES_MIN = 2;

/**
 * How many staged chunks a shard holds at once.
 * @param chunks how many it has that are pushed
 * @param chunkBytes of S1 and S2 of the longest of its chunks
 */
export function slotsMax(chunks: number, chunkBytes: number): number {
  return Math.max(NODES_MIN * chunks, Math.floor(STAGED_BYTES_MAX / chunkBytes));
}

export function createSlots(): CountedSlots {
  const free: number[] = [];
  let made = 0;
  let used = 0;
  return {
    get used() {
      return used;
    },
    take() {
      used++;
      return free.pop() ?? made++;
    },
    give(slot) {
      used--;
      free.push(slot);
    },
  };
}
