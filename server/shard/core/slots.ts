import type { FreeSlots } from "./staging.js";

/** Slots are numbers from 0 on; one that was given back is reused before a new one is made. */
export interface CountedSlots extends FreeSlots {
  readonly used: number;
}

/** The memory that staged sums may take before pushes have to wait. */
const STAGED_BYTES_MAX = 2 ** 30;
/** However long its chunks are, a shard has room for this many nodes of each. */
const NODES_MIN = 2;

/**
 * How many staged chunks a shard holds at once.
 * @param chunks the number of its chunks that are pushed
 * @param chunkBytes the bytes of S1 and S2 of its longest chunk
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
