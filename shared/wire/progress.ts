/**
 * A stream's progress timer: liveness.ts finds a dead connection, but not a peer that answers pings and reads nothing.
 * It runs on the monotonic clock, only while something is waiting to be moved, and costs one timer per stream however
 * many messages pass.
 */
export interface ProgressTimer {
  /** Something is waiting to be moved from now on. */
  wait(): void;
  /** Something was moved. */
  moved(): void;
  /** Nothing is waiting until the next `wait`. */
  stop(): void;
  /** Nothing will wait again: cancels the timer, which would keep the stream in memory until it fires. */
  close(): void;
}

/** `onStall` is called once, when something has waited for `stallMs` and nothing was moved. */
export function createProgressTimer(stallMs: number, onStall: () => void): ProgressTimer {
  let waiting = false;
  let movedAt = 0;
  let timer: NodeJS.Timeout | undefined;

  /**
   * @param read whether everything that has arrived is read: after this process was suspended, a timer fires before
   * that
   */
  const check = (read: boolean): void => {
    timer = undefined;
    if (!waiting) return;
    const leftMs = movedAt + stallMs - performance.now();
    if (leftMs > 0) arm(leftMs);
    else if (read) onStall();
    else setImmediate(check, true).unref();
  };
  const arm = (afterMs: number): void => {
    timer = setTimeout(check, Math.ceil(afterMs), false).unref();
  };

  return {
    wait() {
      if (waiting) return;
      waiting = true;
      movedAt = performance.now();
      if (timer === undefined) arm(stallMs);
    },
    moved() {
      movedAt = performance.now();
    },
    stop() {
      waiting = false;
    },
    close() {
      waiting = false;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
