import type { RequestName } from "./protocol.js";
import { createWatchdog, type Patience } from "./watchdog.js";

/**
 * What a thread is doing. A lease is one piece of work per micro-batch, and none while the thread waits for samples.
 */
export type WorkName = Exclude<RequestName, "lease"> | "start" | "microBatch";

/** The same in words. */
const WORK: Record<WorkName, string> = {
  start: "opening its backend and model",
  load: "loading the weights",
  microBatch: "a micro-batch's gradient",
  join: "joining sums",
  evaluate: "evaluating a batch",
};

const LOOK_MS = 1_000;

export interface ThreadWatchOptions {
  readonly patience: Patience;
  /** Called when the thread takes suspiciously long. */
  readonly warn?: (line: string) => void;
  /** How often the thread is checked; the time between two checks counts as at most twice this. */
  readonly lookMs?: number;
}

export interface ThreadWatch {
  /** Called with what the thread is doing; if it is still doing the same thing, nothing changes. */
  isAt(name: WorkName | undefined): void;
  /** The thread has finished what it was doing. */
  answered(): void;
  stop(): void;
}

/** Checks regularly what a thread is doing, and gives it up when that takes too long. */
export function watchThread(
  { patience, warn, lookMs = LOOK_MS }: ThreadWatchOptions,
  who: string,
  giveUp: (reason: string) => void,
): ThreadWatch {
  const watchdog = createWatchdog(patience);
  let work: WorkName | undefined;
  let startedAt = 0;
  let lookedAt = performance.now();
  const seconds = (ms: number): string => `${Number((ms / 1000).toPrecision(2))} s`;
  const look = (): void => {
    const now = performance.now();
    const passed = watchdog.passed(Math.min(now - lookedAt, 2 * lookMs));
    lookedAt = now;
    if (passed === undefined) return;
    const { warnMs, endMs } = passed.limits;
    if (passed.kind === "end") return giveUp(`${who} hangs: ${WORK[work!]} has not finished in ${seconds(endMs)}.`);
    const usual = passed.usualMs === undefined ? "" : `, which usually takes ${seconds(passed.usualMs)}`;
    const then = Number.isFinite(endMs) ? `; it is given up after ${seconds(endMs)}` : "";
    warn?.(`${who} has been at ${WORK[work!]} for ${seconds(warnMs)}${usual}${then}.`);
  };
  const timer = setInterval(look, lookMs);
  timer.unref();
  return {
    isAt(name) {
      if (name === undefined || work !== undefined) return;
      work = name;
      startedAt = performance.now();
      watchdog.started(name);
    },
    answered() {
      work = undefined;
      watchdog.answered(performance.now() - startedAt);
    },
    stop: () => clearInterval(timer),
  };
}
