import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { referencePhilox } from "./dropout.test.helper.js";
import { philox } from "./philox.js";

/** Known answers that Random123, by Philox's authors, publishes (kat_vectors, philox4x32 of 10 rounds). */
const KNOWN = [
  { counter: [0, 0, 0, 0], key: [0, 0], expected: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    expected: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    expected: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

describe("philox()", () => {
  const drawn = (counter: readonly number[], [key0, key1]: readonly number[]): number[] => {
    const words = Uint32Array.from(counter);
    philox(words, key0, key1);
    return [...words];
  };

  it("gives the answers that its authors publish, as does the reference", () => {
    for (const { counter, key, expected } of KNOWN) {
      assert.deepEqual(drawn(counter, key), expected);
      assert.deepEqual(referencePhilox(counter, key), expected);
    }
  });

  it("is the reference for words of all sizes, where halves carry", () => {
    const words = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffff0000, 0xffffffff];
    for (const [i, word] of words.entries()) {
      const counter = [word, words[(i + 3) % 8], words[(i + 5) % 8], words[(i + 2) % 8]];
      const key = [words[(i + 1) % 8], words[(i + 6) % 8]];
      assert.deepEqual(drawn(counter, key), referencePhilox(counter, key));
    }
  });
});
