/**
 * Batches by their number: here, on the way, or to be fetched. What is prefetched together comes in one call; what was
 * used longest ago goes first when there is no more room.
 */
export interface BatchCache<Batch> {
  /** The batch; fetched by itself if nobody did before. A failure is not kept: asking again fetches again. */
  get(number: number, fetch: FetchBatches<Batch>): Promise<Batch>;
  /** Starts fetching what is missing of these, as many from the first on as there is room for. */
  prefetch(numbers: readonly number[], fetch: FetchBatches<Batch>): void;
  /** Whether the batch is here or on the way. */
  has(number: number): boolean;
  /** How many batches there is room for. */
  readonly room: number;
  /** Resolves when nothing is on the way any longer, and what failed on the way is forgotten. */
  settled(): Promise<void>;
}

/** Yields the batches of these ascending numbers, in order, over the present connection. */
export type FetchBatches<Batch> = (numbers: readonly number[]) => AsyncIterable<Batch>;

export interface BatchCacheOptions {
  readonly bytesMax: number;
  /** Of one batch. */
  readonly batchBytes: number;
}

/** A server sends no more in one call. */
const BATCHES_MAX = 4_096;

export function createBatchCache<Batch>({ bytesMax, batchBytes }: BatchCacheOptions): BatchCache<Batch> {
  const batchesMax = Math.min(BATCHES_MAX, Math.max(1, Math.floor(bytesMax / batchBytes)));
  /** In the order of their last use. */
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
            reject(new Error(`batches ${numbers[0]} to ${numbers.at(-1)} did not all come`));
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
