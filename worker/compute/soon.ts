/**
 * Values that are there, or will be. What computes in this thread answers at once, and the next message is read when it is
 * done; what computes elsewhere answers later, and messages are read meanwhile.
 */
export type Soon<T> = T | Promise<T>;

/** Uses a value at once if it is there, and otherwise when it is. */
export function when<T, R>(value: Soon<T>, use: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}

/** Does something for each item, one after the other. */
export function inTurn<T, R>(items: readonly T[], work: (item: T) => Soon<R>): Soon<R[]> {
  return items.reduce<Soon<R[]>>(
    (before, item) => when(before, (results) => when(work(item), (result) => [...results, result])),
    [],
  );
}
