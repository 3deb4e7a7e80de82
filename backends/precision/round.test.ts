import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { MANTISSA_BITS } from "../../shared/precision.js";
import { createRandom } from "../../shared/random.js";
import { openBackend, probeBackend } from "../index.js";
import { settings } from "../settings.test.helper.js";
import { ROUND_MANTISSA } from "./round.js";

const MANTISSA = 23;
const INFINITY_BITS = 0x7f800000;

/** The bits of the float32 nearest to `bits` with `kept` bits of mantissa: a whole number of units in size. */
function nearest(bits: number, kept: number): number {
  const sign = bits & 0x80000000;
  const size = bits & 0x7fffffff;
  const unit = 2 ** (MANTISSA - kept);
  const below = Math.floor(size / unit);
  const rest = size - below * unit;
  const isUp = rest > unit / 2 || (rest === unit / 2 && below % 2 === 1);
  return (((below + Number(isUp)) * unit) | sign) >>> 0;
}

/** Bits of numbers of every size, of both signs, with ties and their neighbours, and NaN. */
function allKinds(kept: number): Uint32Array {
  const random = createRandom(7);
  const unit = 2 ** (MANTISSA - kept);
  const list: number[] = [
    0,
    1,
    0x007fffff,
    0x00800000,
    INFINITY_BITS - 1,
    INFINITY_BITS,
    INFINITY_BITS + 1,
    0x7fffffff,
  ];
  for (let exponent = 0; exponent < 255; exponent++) {
    const start = exponent * 2 ** MANTISSA;
    for (const ends of [0, 1, unit / 2 - 1, unit / 2, unit / 2 + 1, unit - 1]) {
      for (const place of [0, 1, random.below(2 ** kept), 2 ** kept - 1]) list.push(start + place * unit + ends);
    }
    list.push(start + random.below(2 ** MANTISSA));
  }
  return Uint32Array.from([...list, ...list.map((bits) => (bits | 0x80000000) >>> 0)]);
}

const isNaNBits = (bits: number): boolean => (bits & 0x7fffffff) > INFINITY_BITS;

const native = await probeBackend("tfjs-node", settings);

for (const name of ["wasm", "cpu", "tfjs-node"] as const) {
  const skip = name === "tfjs-node" && !native.available && native.reason;
  describe(`rounding to fewer bits of mantissa on ${name}`, { skip }, () => {
    for (const precision of ["tf32", "bfloat16"] as const) {
      it(`gives ${precision}'s nearest number, the even one of two, and keeps NaN and infinity`, async () => {
        await openBackend(name, settings);
        const bits = MANTISSA_BITS[precision]!;
        const given = allKinds(bits);
        // Every length modulo a vector's four lanes.
        for (const length of [given.length, given.length - 1, given.length - 2, given.length - 3, 1, 0]) {
          const before = tf.memory().numTensors;
          const found = tf.tidy(() => {
            const x = tf.tensor(new Float32Array(given.buffer, 0, length), [length]);
            const rounded = tf.engine().runKernel(ROUND_MANTISSA, { x }, { bits }) as tf.Tensor;
            assert.deepEqual([rounded.dtype, rounded.shape], ["float32", [length]]);
            return (rounded.dataSync() as Float32Array).slice();
          });
          assert.equal(tf.memory().numTensors, before);
          for (const [i, result] of new Uint32Array(found.buffer).entries()) {
            const isRight = isNaNBits(given[i]) ? isNaNBits(result) : result === nearest(given[i], bits);
            if (!isRight) assert.fail(`${given[i].toString(16)} became ${result.toString(16)}`);
          }
        }
      });
    }
  });
}
