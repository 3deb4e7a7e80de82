/** A measured value as it is shown to people: it changes only once the measured one has differed from it for a while. */
export interface Steady<Value> {
  /** @returns what to show at `nowMs`, on any clock that does not go back */
  next(measured: Value, nowMs: number): Value;
}

/** @param isSame whether a measured value may replace the shown one without anybody minding */
export function createSteady<Value>(holdMs: number, isSame: (shown: Value, measured: Value) => boolean): Steady<Value> {
  let shown: { readonly value: Value } | undefined;
  let differsSinceMs: number | undefined;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    next(measured, nowMs) {
      // After a long silence nobody remembers what was shown.
      const isForgotten = nowMs - lastMs > holdMs;
      lastMs = nowMs;
      if (shown !== undefined && !isForgotten && !isSame(shown.value, measured)) {
        differsSinceMs ??= nowMs;
        if (nowMs - differsSinceMs < holdMs) return shown.value;
      }
      differsSinceMs = undefined;
      shown = { value: measured };
      return measured;
    },
  };
}
