import { createHash } from "node:crypto";

/**
 * The run's randomness: every draw is keyed by what it is for, never by when it happens, so that a micro-batch has the
 * same samples, augmentation and dropout on any worker, and each time it is computed.
 */

/**
 * A seed in [1, 2^31 − 1] from any list of words and numbers, e.g. `seedOf(runSeed, "dense_1/kernel")`.
 * Never 0, which several tfjs initialisers take for "unseeded".
 */
export function seedOf(...parts: (string | number)[]): number {
  return (digestOf(parts).readUInt32LE(0) % 0x7fffffff) + 1;
}

/**
 * A 64-bit key from any list of words and numbers, as two integers: the first eight bytes of the list's digest,
 * little-endian.
 */
export function keyOf(...parts: (string | number)[]): Int32Array {
  const digest = digestOf(parts);
  return Int32Array.of(digest.readInt32LE(0), digest.readInt32LE(4));
}

const digestOf = (parts: (string | number)[]): Buffer => createHash("sha256").update(JSON.stringify(parts)).digest();

/** A source of uniform numbers. */
export interface Random {
  /** A float64 in [0, 1) with 32 random bits. */
  next(): number;
  /** An integer in [0, bound), without bias. `bound` is an integer in [1, 2^32]. */
  below(bound: number): number;
}

/** xoshiro128** (Blackman & Vigna 2018, public domain), its state filled by splitmix32 from `seed`. */
export function createRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let s0 = splitmix();
  let s1 = splitmix();
  let s2 = splitmix();
  let s3 = splitmix();
  const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

  const bits = (): number => {
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotate(s3, 11);
    return result;
  };

  return {
    next: () => bits() / 0x1_0000_0000,
    below(bound) {
      // Rejection: the last, incomplete multiple of `bound` below 2^32 is thrown away.
      const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
      let x = bits();
      while (x >= limit) x = bits();
      return x % bound;
    },
  };
}

/** Shuffles `items` in place (Fisher–Yates) and returns them. */
export function shuffle(items: Uint32Array, random: Random): Uint32Array {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const item = items[i];
    items[i] = items[j];
    items[j] = item;
  }
  return items;
}
