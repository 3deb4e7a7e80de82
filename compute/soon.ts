/**
 * Values that are available now or later. Work in this thread returns its result at once, before the next message is read;
 * work in another thread returns it later, and messages are read meanwhile.
 */
export type Soon<T> = T | Promise<T>;

/** Uses a value at once if it is available, otherwise as soon as it is. */
export function when<T, R>(value: Soon<T>, use: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}

/** Does the work for each item, one after the other. */
export function inTurn<T, R>(items: readonly T[], work: (item: T) => Soon<R>): Soon<R[]> {
  return items.reduce<Soon<R[]>>(
    (before, item) => when(before, (results) => when(work(item), (result) => [...results, result])),
    [],
  );
}
