import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { keyOf } from "../shared/random.js";
import { referenceFactors } from "./dropout.test.helper.js";
import { type BackendName, dropout, openBackend, probeBackend } from "./index.js";
import { settings } from "./settings.test.helper.js";

const { available, reason } = await probeBackend("tfjs-node", settings);
const names: BackendName[] = ["wasm", "cpu", "tfjs-node"];

/** Whole blocks of 16, 8 and 4 elements, and the rest after them; keys of either sign. */
const CASES: { key: Int32Array; shape: number[]; rate: number }[] = [
  { key: Int32Array.of(0, 0), shape: [16], rate: 0.5 },
  { key: Int32Array.of(-1, 1), shape: [3, 5, 7], rate: 0.1 },
  { key: Int32Array.of(2 ** 31 - 1, -(2 ** 31)), shape: [2, 3, 2, 3, 1], rate: 0.9 },
  { key: keyOf(5, "drop", 1, 70), shape: [1001], rate: 0.3 },
  { key: keyOf(5, "drop", 1, 71), shape: [], rate: 0.25 },
  { key: keyOf(5, "drop", 1, 72), shape: [0, 4], rate: 0.25 },
  // Keys found so that an element's number is the one at the bound: 1/2 itself, which is dropped, and the largest below
  // 2/3.
  { key: Int32Array.of(6_234, 0), shape: [10], rate: 1 / 2 },
  { key: Int32Array.of(155_651, 0), shape: [26], rate: 1 / 3 },
];

const drawn = (shape: number[], key: Int32Array, rate: number, noiseShape?: number[]): Float32Array =>
  tf.tidy(() => dropout(tf.ones(shape), key, rate, noiseShape).dataSync() as Float32Array).slice();

for (const name of names) {
  describe(`dropout on ${name}`, { skip: name === "tfjs-node" && !available && reason }, () => {
    before(async () => void (await openBackend(name, settings)));

    it("keeps what its definition says", () => {
      for (const { key, shape, rate } of CASES) {
        const expected = referenceFactors(key, tf.util.sizeFromShape(shape), rate);
        assert.deepEqual(drawn(shape, key, rate), expected, `shape [${shape}], rate ${rate}`);
      }
    });

    it("multiplies a gradient by what it multiplied the input by, and leaves nothing behind", () => {
      const [key, rate, shape] = [Int32Array.of(3, -4), 0.4, [4, 5, 6]];
      const values = Float32Array.from({ length: 120 }, (_, i) => (i % 7) - 3);
      const tensors = tf.memory().numTensors;
      const [y, dx] = tf.tidy(() => {
        const [x, dy] = [tf.tensor(values, shape), tf.tensor(values.toReversed(), shape)];
        const { value, grad } = tf.valueAndGrad((each) => dropout(each, key, rate))(x, dy);
        return [value, grad].map((each) => each.dataSync());
      });
      const factors = referenceFactors(key, 120, rate);
      assert.deepEqual(
        y,
        values.map((value, i) => Math.fround(value * factors[i])),
      );
      assert.deepEqual(
        dx,
        values.toReversed().map((value, i) => Math.fround(value * factors[i])),
      );
      assert.equal(tf.memory().numTensors, tensors);
    });

    it("repeats a mask along the axes where it has the length 1", () => {
      const [key, rate] = [Int32Array.of(-9, 9), 0.5];
      const factors = referenceFactors(key, 6, rate);
      const expected = Float32Array.from({ length: 24 }, (_, i) => factors[Math.floor(i / 12) * 3 + (i % 3)]);
      assert.deepEqual(drawn([2, 4, 3], key, rate, [2, 1, 3]), expected);
      const dx = tf.tidy(() =>
        tf
          .grad((x) => dropout(x, key, rate, [2, 1, 3]))(tf.ones([2, 4, 3]), tf.ones([2, 4, 3]))
          .dataSync(),
      );
      assert.deepEqual(dx, expected);
    });

    it("does not hide an infinite element, kept or dropped", () => {
      const y = tf.tidy(() => dropout(tf.fill([40], Number.POSITIVE_INFINITY), Int32Array.of(1, 2), 0.5).dataSync());
      const factors = referenceFactors(Int32Array.of(1, 2), 40, 0.5);
      assert.deepEqual(
        [...y],
        Array.from(factors, (factor) => factor * Number.POSITIVE_INFINITY),
      );
    });
  });
}

describe("masks by key", () => {
  before(async () => void (await openBackend("wasm")));
  const COUNT = 40_000;
  const RATE = 0.2;

  const SOME = {
    "the first": [1, "drop", 0, 0],
    "the next micro-batch's": [1, "drop", 0, 1],
    "a later micro-batch's": [1, "drop", 0, 1_000_000],
    "the next call's": [1, "drop", 1, 0],
    "another layer's": [1, "drop_1", 0, 0],
    "another seed's": [2, "drop", 0, 0],
  };
  const masks = () =>
    Object.entries(SOME).map(([name, parts]) => ({ name, kept: drawn([COUNT], keyOf(...parts), RATE).map(Math.sign) }));

  /** For independent masks the share of places where both are 1 is 0.8², here within five standard deviations. */
  const assertIndependent = (a: Float32Array, b: Float32Array, count: number): void => {
    let both = 0;
    for (let i = 0; i < count; i++) both += a[i] * b[i];
    const expected = (1 - RATE) ** 2;
    const deviation = Math.sqrt((expected * (1 - expected)) / count);
    assert.ok(Math.abs(both / count - expected) < 5 * deviation, `${both / count}, not ${expected}`);
  };

  it("keep the share 1 − rate", () => {
    const deviation = Math.sqrt((RATE * (1 - RATE)) / COUNT);
    for (const { name, kept } of masks()) {
      const share = kept.reduce((sum, one) => sum + one, 0) / COUNT;
      assert.ok(Math.abs(share - (1 - RATE)) < 5 * deviation, `${name}: ${share}`);
    }
  });

  it("are independent of each other, and of themselves a few elements further on", () => {
    const all = masks();
    for (const [i, { kept: a }] of all.entries()) {
      for (const { kept: b } of all.slice(i + 1)) assertIndependent(a, b, COUNT);
      for (const shift of [1, 2, 3, 4, 16, 64]) assertIndependent(a, a.subarray(shift), COUNT - shift);
    }
  });
});
