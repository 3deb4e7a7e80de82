/**
 * Which samples a worker fetches before they are needed: its share of the coming steps, since leases tend to be cut
 * alike. The longer they have been alike, the further it looks ahead, so that one call brings the samples of many
 * steps; if the share changes with every step, only the next one is guessed.
 */

/** Micro-batches [first, first + count) of the next step; `every` further on, those of the step after it, and so on. */
export interface Share {
  readonly first: number;
  readonly count: number;
  readonly every: number;
  /** The number of micro-batches of the whole run. */
  readonly end: number;
}

export interface LookAheadOptions {
  /** The number of batches that there is room for. */
  readonly room: number;
  /** Whether a batch is cached or being fetched. */
  has(number: number): boolean;
}

const STEPS_MAX = 16;

/**
 * @returns what to fetch now, given the next step's share: nothing as long as half of the batches ahead are still
 * cached
 */
export function createLookAhead({ room, has }: LookAheadOptions): (share: Share) => number[] {
  let last: Share | undefined;
  let steps = 1;
  return (share) => {
    const { first, count, every, end } = share;
    const isAlike =
      last !== undefined && last.count === count && last.every === every && (first - last.first) % every === 0;
    last = share;
    steps = isAlike ? Math.min(2 * steps, STEPS_MAX, Math.floor(room / 2 / count)) : 1;
    steps = Math.max(steps, 1);
    const wanted = Array.from({ length: steps }, (_, step) =>
      Array.from({ length: count }, (_, i) => first + step * every + i).filter((number) => number < end),
    );
    const missing = wanted.findIndex((numbers) => !numbers.every(has));
    if (missing < 0 || missing >= steps / 2) return [];
    return wanted.flat().filter((number) => !has(number));
  };
}

/** Batches as FetchSamples takes them: [first, first + count), then the same `every` further on, `times` in all. */
export interface RegularBatches {
  readonly first: number;
  readonly count: number;
  readonly every: number;
  readonly times: number;
}

/** The first of the ascending numbers, as many as one call can request. */
export function regularPrefix(numbers: readonly number[]): RegularBatches {
  const [first] = numbers;
  const gap = numbers.findIndex((number, i) => number !== first + i);
  const count = gap < 0 ? numbers.length : gap;
  const every = gap < 0 ? 0 : numbers[count] - first;
  const irregular = numbers.findIndex((number, i) => number !== first + Math.floor(i / count) * every + (i % count));
  const times = Math.floor((irregular < 0 ? numbers.length : irregular) / count);
  return { first, count, every, times };
}
