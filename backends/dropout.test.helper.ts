/** Dropout's mask in integers of any size, after the definition in dropout.ts, with none of the code under test. */

const WORD = 0xffff_ffffn;

/** Philox4x32-10 after Salmon et al. 2011. */
export function referencePhilox(counter: readonly number[], key: readonly number[]): number[] {
  let [a, b, c, d] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const [first, second] = [0xd2511f53n * a, 0xcd9e8d57n * c];
    [a, b, c, d] = [(second >> 32n) ^ b ^ k0, second & WORD, (first >> 32n) ^ d ^ k1, first & WORD];
    k0 = (k0 + 0x9e3779b9n) & WORD;
    k1 = (k1 + 0xbb67ae85n) & WORD;
  }
  return [a, b, c, d].map(Number);
}

/** The factors of `count` elements. */
export function referenceFactors(key: Int32Array, count: number, rate: number): Float32Array {
  const words = [...key].flatMap((word) => [word >>> 0, word < 0 ? 0xffff_ffff : 0]);
  const [k0, k1, c2, c3] = referencePhilox(words, [0x3ec8f720, 0x02461e29]);
  const keep = Math.fround(1 - rate);
  const kept = Math.fround(1 / keep);
  let block: number[] = [];
  return Float32Array.from({ length: count }, (_, i) => {
    if (i % 4 === 0) block = referencePhilox([i / 4, 0, c2, c3], [k0, k1]);
    return (block[i % 4] & 0x7fffff) / 0x800000 < keep ? kept : 0;
  });
}
