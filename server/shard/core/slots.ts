import type { SlotPool } from "./staging.js";

/** Slots are numbers from 0 on; one that was given back is taken again before a new one is made. */
export interface Slots extends SlotPool {
  readonly used: number;
}

export function createSlots(): Slots {
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
