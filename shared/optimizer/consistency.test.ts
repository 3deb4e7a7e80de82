import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { inconsistentSum } from "./consistency.js";
import { type LeafCoefficients, leafCoefficients } from "./rules.js";

const round = Math.fround;

/** The float32 sum of `leaves` along the tree of powers of two. */
function treeSum(leaves: readonly number[]): number {
  if (leaves.length === 1) return leaves[0];
  const middle = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return round(treeSum(leaves.slice(0, middle)) + treeSum(leaves.slice(middle)));
}

/** The float32 sums of one parameter over the gradients of a step's micro-batches. */
function sumsOf(gradients: readonly number[], weights?: LeafCoefficients): [s1: Float32Array, s2: Float32Array] {
  const s1 = treeSum(gradients.map((g, j) => round((weights?.w1[j] ?? 1) * g)));
  const s2 = treeSum(gradients.map((g, j) => round((weights?.w2[j] ?? 1) * round(g * g))));
  return [Float32Array.of(s1), Float32Array.of(s2)];
}

/** What the pathwise rule weighs micro-batches with; at some β they fall below float32 within a step. */
function decaying(microBatches: number, [beta1, beta2]: readonly [number, number]): LeafCoefficients {
  const rest = { learningRate: 1, epsilon: 1e-8, weightDecay: 0 };
  return leafCoefficients({ name: "invariant", rule: "pathwise" }, { ...rest, beta1, beta2 }, microBatches)!;
}

/** Gradients of any size from below the subnormals' root to 10⁶; the nearly equal ones come close to the bound. */
const gradients = fc
  .tuple(
    fc.integer({ min: -45, max: 6 }),
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 70, size: "max" }),
    fc.constantFrom(0, 1, 1000),
  )
  .map(([exponent, values, offset]) => values.map((value) => round((offset + value) * 10 ** exponent)));

const BETAS = [undefined, [0.9, 0.999], [0, 0.999], [0.9, 0], [0.9, 0.1], [0.1, 0.1]] as const;

describe("inconsistentSum()", () => {
  it("finds nothing in sums of gradients, whatever their size and weights", () => {
    fc.assert(
      fc.property(gradients, fc.constantFrom(...BETAS), (values, betas) => {
        const weights = betas && decaying(values.length, betas);
        assert.equal(inconsistentSum(...sumsOf(values, weights), values.length, weights), undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it("finds equal gradients' S1 when it is 10⁻⁴ too large: the bound is that tight", () => {
    for (const microBatches of [1, 2, 7, 64]) {
      for (const g of [1e-12, 0.3, 1e6]) {
        const [s1, s2] = sumsOf(Array<number>(microBatches).fill(round(g)));
        assert.equal(inconsistentSum(s1, s2, microBatches, undefined), undefined);
        assert.equal(
          inconsistentSum(
            s1.map((x) => x * 1.0001),
            s2,
            microBatches,
            undefined,
          ),
          0,
        );
      }
    }
  });

  it("names the first bad pair: a lost S2, a negative one, an exponent bit, NaN", () => {
    const [s1, s2] = [Float32Array.of(0.5, 1, 2), Float32Array.of(0.2, 0.6, 3)];
    assert.equal(inconsistentSum(s1, s2, 2, undefined), undefined);
    assert.equal(inconsistentSum(s1, Float32Array.of(0.2, 0, 3), 2, undefined), 1);
    assert.equal(inconsistentSum(s1, Float32Array.of(-0.2, 0.6, 3), 2, undefined), 0);
    assert.equal(inconsistentSum(Float32Array.of(0.5, 1, 2 * 2 ** 64), s2, 2, undefined), 2);
    assert.equal(inconsistentSum(Float32Array.of(0.5, Number.NaN, 2), s2, 2, undefined), 1);
  });
});
