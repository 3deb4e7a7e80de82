/** What a simulated machine has only one of: the thread of its servers, and a link with a byte rate in each direction. */
import type { Queue } from "../../test/simulation/queue.js";

/** Does one thing at a time, in the order of the requests. */
export interface Thread {
  use(ms: number, then: () => void): void;
  /** The total so far. */
  readonly busyMs: number;
}

export function createThread(queue: Queue): Thread {
  let freeAtMs = 0;
  let busyMs = 0;
  return {
    use(ms, then) {
      freeAtMs = Math.max(freeAtMs, queue.nowMs) + ms;
      busyMs += ms;
      queue.after(freeAtMs - queue.nowMs, then);
    },
    get busyMs() {
      return busyMs;
    },
  };
}

export interface Network {
  /** The byte rate of each machine's link, in each direction. */
  readonly bytesPerSecond: number;
  /** The one-way delay. */
  readonly delayMs: number;
}

export interface Link {
  outFreeAtMs: number;
  inFreeAtMs: number;
  outMs: number;
  inMs: number;
}

export const createLink = (): Link => ({ outFreeAtMs: 0, inFreeAtMs: 0, outMs: 0, inMs: 0 });

/** Sends bytes, which occupy the links of both ends while they are sent and arrive after the delay. */
export function send(queue: Queue, network: Network, from: Link, to: Link, bytes: number, then: () => void): void {
  const ms = (1000 * bytes) / network.bytesPerSecond;
  const startsMs = Math.max(queue.nowMs, from.outFreeAtMs);
  from.outFreeAtMs = startsMs + ms;
  to.inFreeAtMs = Math.max(startsMs, to.inFreeAtMs) + ms;
  from.outMs += ms;
  to.inMs += ms;
  queue.after(Math.max(from.outFreeAtMs, to.inFreeAtMs) + network.delayMs - queue.nowMs, then);
}
