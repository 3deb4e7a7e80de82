import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.js";
import { createRestarts, RESTARTS_IN_A_ROW_MAX, type Restarts } from "./restarts.js";

/** The workers of a cluster on one machine: kept alive until they are stopped. */
export interface Supervisor {
  /** Resolves with the last one's reason, a sentence, when every worker keeps dying; otherwise it never does. */
  readonly gaveUp: Promise<string>;
  /** Ends all of them: those that have not ended by themselves within `graceMs` are killed. */
  stop(graceMs: number): Promise<void>;
}

export interface SupervisorOptions {
  readonly count: number;
  /** Starts worker `number`, from 1. */
  start(number: number): Child;
  /** Whether this worker has done anything of use. */
  worked(child: Child): boolean;
  /** Called with a line for people each time a worker has died: it is started again, or given up. */
  notice(line: string): void;
  /** One a worker; for tests. */
  restarts?(): Restarts;
}

/** Exit code of wrong input: the same input would be as wrong the next time. */
const EXIT_USAGE = 2;

export function superviseWorkers(options: SupervisorOptions): Supervisor {
  const { count, start, worked, notice, restarts = createRestarts } = options;
  const stopping = new AbortController();
  const running = new Map<number, Child>();
  let left = count;
  let giveUp: (reason: string) => void;
  const gaveUp = new Promise<string>((resolve) => {
    giveUp = resolve;
  });

  /** Resolves when the worker is no longer wanted: stopped, ended well, or given up, and then with the reason. */
  async function keepAlive(number: number): Promise<string | undefined> {
    const policy = restarts();
    while (!stopping.signal.aborted) {
      const child = start(number);
      running.set(number, child);
      const exit = await child.exited;
      running.delete(number);
      if (stopping.signal.aborted || exit.ok) return undefined;
      const delayMs = exit.code === EXIT_USAGE ? undefined : policy.afterDeath(worked(child));
      if (delayMs === undefined) {
        const often = exit.code === EXIT_USAGE ? "can't work" : `has died ${RESTARTS_IN_A_ROW_MAX + 1} times in a row`;
        return `Worker ${number} ${often}. ${exit.reason}`;
      }
      notice(`Worker ${number} died and is started again. ${exit.reason}`);
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
    return undefined;
  }

  /** A worker may be given up while there are others: they compute what it had. */
  async function keepOrGiveUp(number: number): Promise<void> {
    const reason = await keepAlive(number);
    left--;
    if (reason === undefined) return;
    if (left === 0) giveUp(reason);
    else notice(`${reason} It is not started again; the run continues without it.`);
  }

  const all = Promise.all(Array.from({ length: count }, (_, i) => keepOrGiveUp(i + 1)));
  return {
    gaveUp,
    async stop(graceMs) {
      stopping.abort();
      await Promise.all([...running.values()].map((child) => child.stop(graceMs)));
      await all;
    },
  };
}
