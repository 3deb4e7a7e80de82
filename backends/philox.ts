/**
 * Random numbers by counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011), a function of a key and the number of
 * a block, so that any element can be drawn by itself, anywhere. The stream of a key is that of TensorFlow's operation
 * StatelessRandomUniform, which draws it on CPUs and GPUs alike; here it is in JavaScript, and in
 * `wasm/assembly/dropout.ts` in WebAssembly.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_2 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Replaces the four words of a counter by the four random words of its block. */
export function philox(words: Uint32Array, key0: number, key1: number): void {
  let w0 = words[0];
  let w1 = words[1];
  let w2 = words[2];
  let w3 = words[3];
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(w0, MULTIPLIER_0);
    const high2 = highProduct(w2, MULTIPLIER_2);
    const low0 = Math.imul(w0, MULTIPLIER_0);
    const low2 = Math.imul(w2, MULTIPLIER_2);
    w0 = high2 ^ w1 ^ key0;
    w1 = low2;
    w2 = high0 ^ w3 ^ key1;
    w3 = low0;
    key0 = (key0 + WEYL_0) | 0;
    key1 = (key1 + WEYL_1) | 0;
  }
  words[0] = w0;
  words[1] = w1;
  words[2] = w2;
  words[3] = w3;
}

/** The upper 32 bits of the product of two unsigned 32-bit integers, computed from their 16-bit halves. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const lower = Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16);
  const middle = Math.imul(aLow, bHigh) + (lower & 0xffff);
  return (Math.imul(aHigh, bHigh) + (lower >>> 16) + (middle >>> 16)) | 0;
}

/** A key's stream: block i is `philox([i, 0, counter2, counter3], key0, key1)`. */
export interface PhiloxStream {
  readonly key0: number;
  readonly key1: number;
  readonly counter2: number;
  readonly counter3: number;
}

/**
 * A key's stream. TensorFlow first mixes the two integers, each extended by its sign to 64 bits, so that keys that
 * differ in a single bit have unrelated streams.
 */
export function streamOf([first, second]: ArrayLike<number> & Iterable<number>): PhiloxStream {
  const words = Uint32Array.of(first, first >> 31, second, second >> 31);
  philox(words, 0x3ec8f720, 0x02461e29);
  const [key0, key1, counter2, counter3] = words;
  return { key0, key1, counter2, counter3 };
}
