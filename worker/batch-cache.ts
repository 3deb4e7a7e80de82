/**
 * Batches by their number: cached, being fetched, or missing. Batches that are prefetched together are fetched in one
 * call; when there is no room left, the least recently used batch is dropped first.
 */
export interface BatchCache<Batch> {
  /** The batch; fetched separately if it was not prefetched. A failure is not cached: the next call fetches again. */
  get(number: number, fetch: FetchBatches<Batch>): Promise<Batch>;
  /** Starts fetching those of these batches that are missing, from the first on, as many as there is room for. */
  prefetch(numbers: readonly number[], fetch: FetchBatches<Batch>): void;
  /** Whether the batch is cached or being fetched. */
  has(number: number): boolean;
  /** The number of batches that there is room for. */
  readonly room: number;
  /** Resolves when nothing is being fetched any more, and failed fetches have been dropped. */
  settled(): Promise<void>;
}

/** Yields the batches with these ascending numbers, in order, over the current connection. */
export type FetchBatches<Batch> = (numbers: readonly number[]) => AsyncIterable<Batch>;

export interface BatchCacheOptions {
  readonly bytesMax: number;
  /** The size of one batch. */
  readonly batchBytes: number;
}

/** A server sends at most this many in one call. */
const BATCHES_MAX = 4_096;

export function createBatchCache<Batch>({ bytesMax, batchBytes }: BatchCacheOptions): BatchCache<Batch> {
  const batchesMax = Math.min(BATCHES_MAX, Math.max(1, Math.floor(bytesMax / batchBytes)));
  /** The batches in the order of their last use. */
  const batches = new Map<number, Promise<Batch>>();
  const onTheWay = new Set<Promise<void>>();

  const fetchAll = (numbers: readonly number[], fetch: FetchBatches<Batch>): void => {
    const waiting: { resolve: (batch: Batch) => void; reject: (error: unknown) => void }[] = [];
    for (const number of numbers) {
      const batch = new Promise<Batch>((resolve, reject) => waiting.push({ resolve, reject }));
      batch.catch(() => {
        if (batches.get(number) === batch) batches.delete(number);
      });
      batches.set(number, batch);
    }
    for (const oldest of batches.keys()) {
      if (batches.size <= batchesMax) break;
      batches.delete(oldest);
    }
    const fill = async (): Promise<void> => {
      for await (const batch of fetch(numbers)) waiting.shift()?.resolve(batch);
    };
    const filled = fill()
      .then(
        () => {
          for (const { reject } of waiting)
            reject(new Error(`not all of the batches ${numbers[0]} to ${numbers.at(-1)} were received`));
        },
        (error: unknown) => {
          for (const { reject } of waiting) reject(error);
        },
      )
      .finally(() => onTheWay.delete(filled));
    onTheWay.add(filled);
  };

  return {
    get(number, fetch) {
      if (!batches.has(number)) fetchAll([number], fetch);
      const batch = batches.get(number)!;
      batches.delete(number);
      batches.set(number, batch);
      return batch;
    },
    prefetch(numbers, fetch) {
      const missing = numbers.slice(0, batchesMax).filter((number) => !batches.has(number));
      if (missing.length > 0) fetchAll(missing, fetch);
    },
    has: (number) => batches.has(number),
    room: batchesMax,
    async settled() {
      await Promise.all(onTheWay);
    },
  };
}
