import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchOf, openGradients } from "./gradients/open-gradients.test.helper.js";

const LAYERS = [
  { layer: "Dense", units: 6, inputShape: [4], activation: "tanh", name: "frozen" },
  { layer: "BatchNormalization", momentum: 0.9, name: "norm" },
  { layer: "Dense", units: 3 },
];

/** The nearer of the two bfloat16 numbers next to x; of two that are equally near, the one whose last bit is 0. */
function nearestBfloat16(x: number): number {
  const float = new Float32Array([x]);
  const bits = new Uint32Array(float.buffer);
  const truncated = bits[0] & 0xffff0000;
  const [low, high] = [truncated, truncated + 0x10000].map((candidate) => {
    bits[0] = candidate;
    return float[0];
  });
  const [toLow, toHigh] = [Math.abs(x - low), Math.abs(high - x)];
  if (toLow !== toHigh) return toLow < toHigh ? low : high;
  return ((truncated >>> 16) & 1) === 0 ? low : high;
}

describe('gradients with wire: "bfloat16"', () => {
  for (const [name, compiled, precision] of [
    ["operation by operation", false, "float32"],
    ["compiled, where the backend can", true, "float32"],
    ["with products in bfloat16", true, "bfloat16"],
  ] as const) {
    it(`are those at rounded parameters, rounded, ${name}`, async () => {
      const open = (wire: "float32" | "bfloat16") => {
        const task = { wire, precision, clipNorm: 0.5 };
        return openGradients({ layers: LAYERS, freeze: ["frozen"], task, compiled, cuts: [9] });
      };
      const [rounding, plain] = [await open("bfloat16"), await open("float32")];
      const { layout, initialWeights } = plain;
      const isRounded = (i: number): boolean => i < layout.parameters;
      plain.setWeights(initialWeights.map((x, i) => (isRounded(i) ? nearestBfloat16(x) : x)));
      // A compiled program takes over from the fourth on.
      for (const number of [1, 2, 3, 4, 5]) {
        const expected = plain.gradientOf(batchOf(number));
        const { loss, g } = rounding.gradientOf(batchOf(number));
        assert.equal(loss, expected.loss);
        assert.deepEqual(
          g,
          expected.g.map((x, i) => (isRounded(i) ? nearestBfloat16(x) : x)),
        );
        assert.notDeepEqual(g, expected.g);
      }
      assert.ok(layout.tail > 0 && layout.frozen > 0);
    });
  }
});
