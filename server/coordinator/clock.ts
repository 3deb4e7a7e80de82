const TICK_MS = 250;

/** Calls `onTick` periodically. @returns a function that stops this */
export function startClock(onTick: () => void): () => void {
  let next: NodeJS.Immediate | undefined;
  // Only after everything that has arrived is read: if this process was suspended for a while, that must not look like
  // silence of the workers.
  const timer = setInterval(() => {
    next = setImmediate(onTick);
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    clearImmediate(next);
  };
}
