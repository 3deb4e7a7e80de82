/**
 * Limits how often anybody may try to log in, by token buckets: a few times at once, then at a slow rate. There is a
 * bucket per address and one for all addresses together, so that many addresses do not help either.
 */
export interface Attempts {
  /** Counts a try. @returns the seconds to wait if this one comes too early, otherwise 0 */
  take(address: string, nowMs: number): number;
}

const PER_ADDRESS = { burst: 5, refillMs: 12_000 };
const ALL_TOGETHER = { burst: 50, refillMs: 1_000 };
/** Addresses that are remembered at most; then the oldest is forgotten. */
const ADDRESSES_MAX = 1_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

export function createAttempts(): Attempts {
  const buckets = new Map<string, Bucket>();
  const all: Bucket = { tokens: ALL_TOGETHER.burst, atMs: 0 };

  return {
    take(address, nowMs) {
      const bucket = buckets.get(address) ?? { tokens: PER_ADDRESS.burst, atMs: nowMs };
      buckets.delete(address);
      buckets.set(address, bucket);
      for (const oldest of buckets.keys()) {
        if (buckets.size <= ADDRESSES_MAX) break;
        buckets.delete(oldest);
      }
      refill(bucket, PER_ADDRESS, nowMs);
      refill(all, ALL_TOGETHER, nowMs);
      if (bucket.tokens < 1) return secondsFor(bucket, PER_ADDRESS);
      if (all.tokens < 1) return secondsFor(all, ALL_TOGETHER);
      bucket.tokens--;
      all.tokens--;
      return 0;
    },
  };
}

function refill(bucket: Bucket, { burst, refillMs }: typeof PER_ADDRESS, nowMs: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) / refillMs);
  bucket.atMs = nowMs;
}

function secondsFor({ tokens }: Bucket, { refillMs }: typeof PER_ADDRESS): number {
  return Math.max(1, Math.ceil(((1 - tokens) * refillMs) / 1_000));
}
