/** What a simulated machine has only one of: its servers' thread, and a link of so many bytes a second in each direction. */
import type { Queue } from "../../test/simulation/queue.js";

/** Does one thing after the other, in the order in which they are asked for. */
export interface Thread {
  use(ms: number, then: () => void): void;
  /** In all so far. */
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
  /** Of each machine's link, in each direction. */
  readonly bytesPerSecond: number;
  /** One way. */
  readonly delayMs: number;
}

export interface Link {
  outFreeAtMs: number;
  inFreeAtMs: number;
  outMs: number;
  inMs: number;
}

export const createLink = (): Link => ({ outFreeAtMs: 0, inFreeAtMs: 0, outMs: 0, inMs: 0 });

/** Sends bytes, which take both ends' links for as long as they last, and come the delay later. */
export function send(queue: Queue, network: Network, from: Link, to: Link, bytes: number, then: () => void): void {
  const ms = (1000 * bytes) / network.bytesPerSecond;
  const startsMs = Math.max(queue.nowMs, from.outFreeAtMs);
  from.outFreeAtMs = startsMs + ms;
  to.inFreeAtMs = Math.max(startsMs, to.inFreeAtMs) + ms;
  from.outMs += ms;
  to.inMs += ms;
  queue.after(Math.max(from.outFreeAtMs, to.inFreeAtMs) + network.delayMs - queue.nowMs, then);
}
