const TICK_MS = 250;

/** Calls `onTick` now and then. @returns ends that */
export function startClock(onTick: () => void): () => void {
  let next: NodeJS.Immediate | undefined;
  // Once everything that has come is read: if this process stood still for a while, no worker was silent meanwhile.
  const timer = setInterval(() => {
    next = setImmediate(onTick);
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    clearImmediate(next);
  };
}
