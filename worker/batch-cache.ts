/**
 * Batches by their number: here, on the way, or to be fetched. Neighbouring batches are fetched in one call; what was
 * used longest ago goes first when there is no more room.
 */
export interface BatchCache<Batch> {
  /** The batch; fetched by itself if nobody did before. A failure is not kept: asking again fetches again. */
  get(number: number, fetch: FetchBatches<Batch>): Promise<Batch>;
  /** Starts fetching what is missing of [first, end), as many from the first on as there is room for. */
  prefetch(first: number, end: number, fetch: FetchBatches<Batch>): void;
  /** Resolves when nothing is on the way any longer, and what failed on the way is forgotten. */
  settled(): Promise<void>;
}

/** Yields the batches [first, end), in order, over the present connection. */
export type FetchBatches<Batch> = (first: number, end: number) => AsyncIterable<Batch>;

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

  const fetchRun = (first: number, end: number, fetch: FetchBatches<Batch>): void => {
    const waiting: { resolve: (batch: Batch) => void; reject: (error: unknown) => void }[] = [];
    for (let number = first; number < end; number++) {
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
      for await (const batch of fetch(first, end)) waiting.shift()?.resolve(batch);
    };
    const filled = fill()
      .then(
        () => {
          for (const { reject } of waiting) reject(new Error(`batches ${first} to ${end - 1} did not all come`));
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
      if (!batches.has(number)) fetchRun(number, number + 1, fetch);
      const batch = batches.get(number)!;
      batches.delete(number);
      batches.set(number, batch);
      return batch;
    },
    prefetch(first, end, fetch) {
      const last = Math.min(end, first + batchesMax);
      for (let number = first; number < last; number++) {
        if (batches.has(number)) continue;
        let runEnd = number + 1;
        while (runEnd < last && !batches.has(runEnd)) runEnd += 1;
        fetchRun(number, runEnd, fetch);
        number = runEnd;
      }
    },
    async settled() {
      await Promise.all(onTheWay);
    },
  };
}
