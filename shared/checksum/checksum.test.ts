import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createKernelMemory } from "../kernels/index.js";
import { checksumOf, PIECE_BYTES, xxh64Of } from "./index.js";

const memory = createKernelMemory(65_536);
const xxh64 = xxh64Of(memory);
const inMemory = new Uint8Array(memory.buffer);

/** The bytes that xxHash tests itself with (cli/xsum_sanity_check.c). */
function sanityBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let generator = 2_654_435_761n;
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(generator >> 56n);
    generator = (generator * 11_400_714_785_074_694_797n) % 2n ** 64n;
  }
  return bytes;
}

const SEED = 2_654_435_761n;
/**
 * The sums of that many bytes, with seed 0 and with SEED: lengths 1, 14 and 222 are xxHash's own, the rest
 * python-xxhash's.
 */
const PUBLISHED = [
  [0, 0xef46db3751d8e999n, 0xac75fda2929b17efn],
  [1, 0xe934a84adb052768n, 0x5014607643a9b4c3n],
  [4, 0x9136a0dca57457een, 0xcaab286bd8e9fdb5n],
  [14, 0x8282dcc4994e35c8n, 0xc3bd6bf63deb6df0n],
  [31, 0x299b39a290e6d783n, 0xda673d5feb5c1d79n],
  [32, 0x18b216492bb44b70n, 0xb3f33bdf93ade409n],
  [222, 0xb641ae8cb691c174n, 0x20cb8ab7ae10c14an],
] as const;

describe("xxh64Of()", () => {
  it("gives the published sums, wherever the bytes start", () => {
    for (const [length, unseeded, seeded] of PUBLISHED) {
      for (const at of [0, 1, 64, 65_536 - 222]) {
        inMemory.set(sanityBytes(length), at);
        assert.equal(xxh64(at, length, 0n), unseeded);
        assert.equal(xxh64(at, length, SEED), seeded);
      }
    }
  });
});

describe("checksumOf()", () => {
  it("sums piece by piece, each seeded with the sum of the one before", () => {
    const bytes = sanityBytes(222);
    assert.equal(checksumOf([bytes]), 0xb641ae8cb691c174n);
    inMemory.set(bytes);
    assert.equal(checksumOf([bytes, bytes.subarray(0, 14)]), xxh64(0, 14, 0xb641ae8cb691c174n));
    const long = new Uint8Array(PIECE_BYTES + 222);
    long.set(bytes, PIECE_BYTES);
    const [first, rest] = [long.subarray(0, PIECE_BYTES), long.subarray(PIECE_BYTES)];
    assert.equal(checksumOf([long]), checksumOf([first, rest]));
    assert.equal(checksumOf([long]), xxh64(0, 222, checksumOf([first])));
  });

  it("reads ordinary and shared memory alike", () => {
    const bytes = sanityBytes(1_000);
    const shared = new Uint8Array(new SharedArrayBuffer(1_000));
    shared.set(bytes);
    assert.equal(checksumOf([shared]), checksumOf([bytes]));
    assert.equal(checksumOf([new Uint8Array(0)]), 0xef46db3751d8e999n);
  });

  it("finds any damage within eight aligned bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.bigInt(1n, 2n ** 64n - 1n),
        (bytes, place, flips) => {
          const damaged = Uint8Array.from(bytes);
          const word = (place % bytes.length) & ~7;
          for (let i = 0; i < 8 && word + i < bytes.length; i++)
            damaged[word + i] ^= Number((flips >> BigInt(8 * i)) & 255n);
          if (Buffer.compare(bytes, damaged) !== 0) assert.notEqual(checksumOf([damaged]), checksumOf([bytes]));
        },
      ),
    );
  });
});
