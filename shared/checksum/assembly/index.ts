// biome-ignore-all lint/correctness/noPrecisionLoss: AssemblyScript's integers have 64 bits
/**
 * XXH64 of bytes in the imported memory, as the xxHash specification (doc/xxhash_spec.md of Cyan4973/xxHash, 0.1.1)
 * describes it, with its names: four accumulators take 32 bytes at a time, then they and the remaining bytes become one
 * number. The module has no data and no state.
 */

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

const STRIPE: usize = 32;

export function xxh64(at: usize, length: usize, seed: u64): u64 {
  const end = at + length;
  let sum: u64;
  if (length >= STRIPE) {
    let a = seed + PRIME_1 + PRIME_2;
    let b = seed + PRIME_2;
    let c = seed;
    let d = seed - PRIME_1;
    for (; at + STRIPE <= end; at += STRIPE) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    sum = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    sum = merged(merged(merged(merged(sum, a), b), c), d);
  } else {
    sum = seed + PRIME_5;
  }
  sum += length;
  for (; at + 8 <= end; at += 8) sum = rotl(sum ^ round(0, load<u64>(at)), 27) * PRIME_1 + PRIME_4;
  if (at + 4 <= end) {
    sum = rotl(sum ^ (<u64>load<u32>(at) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    at += 4;
  }
  for (; at < end; at++) sum = rotl(sum ^ (<u64>load<u8>(at) * PRIME_5), 11) * PRIME_1;
  sum = (sum ^ (sum >> 33)) * PRIME_2;
  sum = (sum ^ (sum >> 29)) * PRIME_3;
  return sum ^ (sum >> 32);
}

function round(accumulator: u64, lane: u64): u64 {
  return rotl(accumulator + lane * PRIME_2, 31) * PRIME_1;
}

function merged(sum: u64, accumulator: u64): u64 {
  return (sum ^ round(0, accumulator)) * PRIME_1 + PRIME_4;
}
