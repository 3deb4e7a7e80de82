/**
 * Values that are available now or later. Work in this thread returns its result at once, before the next message is
 * read; work in another thread returns it later, and messages are read meanwhile.
 */
export type Awaitable<T> = T | Promise<T>;

/** Uses a value at once if it is available, otherwise as soon as it is. */
export function whenAvailable<T, R>(value: Awaitable<T>, use: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}

/** Does the work for each item, one at a time and in order. */
export function mapInOrder<T, R>(items: readonly T[], work: (item: T) => Awaitable<R>): Awaitable<R[]> {
  return items.reduce<Awaitable<R[]>>(
    (before, item) => whenAvailable(before, (results) => whenAvailable(work(item), (result) => [...results, result])),
    [],
  );
}
