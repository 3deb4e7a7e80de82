import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.js";
import { createRestarts, RESTARTS_IN_A_ROW_MAX, type Restarts } from "./restarts.js";

/** The workers of a cluster on one machine: kept alive until they are stopped. */
export interface Supervisor {
  /** Resolves with the reason, a sentence, when a worker keeps dying; otherwise it never does. */
  readonly gaveUp: Promise<string>;
  /** Ends all of them: those that have not ended by themselves within `graceMs` are killed. */
  stop(graceMs: number): Promise<void>;
}

export interface SupervisorOptions {
  readonly count: number;
  /** Starts worker `number`, from 1. */
  start(number: number): Child;
  /** Is told a line, for people, whenever a worker has died and is started again. */
  notice(line: string): void;
  /** One a worker; for tests. */
  restarts?(): Restarts;
}

/** Exit code of wrong input: the same input would be as wrong the next time. */
const EXIT_USAGE = 2;

export function superviseWorkers(options: SupervisorOptions): Supervisor {
  const { count, start, notice, restarts = createRestarts } = options;
  const stopping = new AbortController();
  const running = new Map<number, Child>();
  let giveUp: (reason: string) => void;
  const gaveUp = new Promise<string>((resolve) => {
    giveUp = resolve;
  });

  /** Returns when the worker is no longer wanted: stopped, ended well, or given up. */
  async function keepAlive(number: number): Promise<void> {
    const policy = restarts();
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const child = start(number);
      running.set(number, child);
      const exit = await child.exited;
      running.delete(number);
      if (stopping.signal.aborted || exit.ok) return;
      const delayMs = exit.code === EXIT_USAGE ? undefined : policy.afterDeath(performance.now() - startedAt);
      if (delayMs === undefined) {
        const often = exit.code === EXIT_USAGE ? "can't work" : `has died ${RESTARTS_IN_A_ROW_MAX + 1} times in a row`;
        return giveUp(`Worker ${number} ${often}. ${exit.reason}`);
      }
      notice(`Worker ${number} died and is started again. ${exit.reason}`);
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const all = Promise.all(Array.from({ length: count }, (_, i) => keepAlive(i + 1)));
  return {
    gaveUp,
    async stop(graceMs) {
      stopping.abort();
      await Promise.all([...running.values()].map((child) => child.stop(graceMs)));
      await all;
    },
  };
}
