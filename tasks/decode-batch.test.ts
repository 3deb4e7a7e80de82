import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SampleSpec } from "./datasets/index.js";
import { decodeBatch } from "./decode-batch.js";

const pixels: SampleSpec = {
  input: { shape: [2, 2, 1], type: "uint8", scale: 1 / 255 },
  label: { shape: [], type: "uint8", classes: 10 },
};
const numbers: SampleSpec = {
  input: { shape: [2], type: "float32", scale: 1 },
  label: { shape: [], type: "float32" },
};

describe("decodeBatch()", () => {
  it("scales pixels in float32 and gives classes as integers", () => {
    const decoded = decodeBatch(pixels, Uint8Array.of(0, 51, 102, 255), Uint8Array.of(7), 1);
    const scale = Math.fround(1 / 255);
    assert.deepEqual(
      [...decoded.inputs],
      [0, 51, 102, 255].map((pixel) => Math.fround(pixel * scale)),
    );
    assert.deepEqual(decoded.labels, Int32Array.of(7));
  });

  it("reads floats that lie at any offset of a message", () => {
    const message = Buffer.alloc(13);
    [1.5, -2, 3e-40].forEach((value, i) => {
      message.writeFloatLE(value, 1 + 4 * i);
    });
    const decoded = decodeBatch(numbers, message.subarray(1, 9), message.subarray(9, 13), 1);
    assert.deepEqual(decoded.inputs, Float32Array.of(1.5, -2));
    assert.deepEqual(decoded.labels, Float32Array.of(3e-40));
  });

  it("copies, so that a message's memory may be used again", () => {
    const inputs = Buffer.from(Float32Array.of(1, 2).buffer);
    const decoded = decodeBatch(numbers, inputs, Buffer.alloc(4), 1);
    inputs.fill(0xff);
    assert.deepEqual(decoded.inputs, Float32Array.of(1, 2));
  });

  it("refuses bytes that are not the samples announced", () => {
    const short = () => decodeBatch(pixels, new Uint8Array(7), new Uint8Array(2), 2);
    assert.throws(short, /2 samples has 7 bytes of inputs instead of 8/);
    assert.throws(() => decodeBatch(pixels, new Uint8Array(8), new Uint8Array(3), 2), /3 bytes of labels instead of 2/);
  });
});
