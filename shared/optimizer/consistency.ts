import type { LeafCoefficients } from "./rules.js";

/**
 * Whether sums can be sums at all. By Cauchy–Schwarz (Σ w1·g)² ≤ (Σ w1²/w2)·(Σ w2·g²), so most flipped bits of S1
 * or S2 that make S1 larger or S2 smaller than the other allows are detected without the gradients.
 *
 * The bound is widened by what float32 rounding may do to sums added along a tree, 1 + log2 κ additions deep, and by
 * an absolute term, because the squares of tiny gradients are subnormal or 0.
 *
 * @param s1 S1 of some parameters, of any length
 * @param s2 S2 of the same parameters
 * @param microBatches κ, the number of micro-batches in the sums
 * @param weights of those micro-batches; undefined: all 1
 * @returns the index of the first pair that no gradients can have, NaN included; undefined when there is none
 */
export function inconsistentSum(
  s1: Float32Array,
  s2: Float32Array,
  microBatches: number,
  weights: LeafCoefficients | undefined,
): number | undefined {
  const ratio = weights?.w1.reduce((sum, w1, j) => sum + (w1 === 0 ? 0 : w1 ** 2 / weights.w2[j]), 0) ?? microBatches;
  // A gradient that contributes to S1 but not to S2 leaves S1 without a bound.
  if (ratio === Number.POSITIVE_INFINITY) return firstNotFinite(s1, s2);
  const relative = ratio * (1 + 2 ** -20 * (1 + Math.log2(microBatches)));
  const absolute = microBatches ** 2 * 2 ** -148 * Math.max(1, ratio);
  for (let i = 0; i < s1.length; i++) {
    if (!(s1[i] ** 2 <= relative * s2[i] + absolute)) return i;
  }
  return undefined;
}

function firstNotFinite(s1: Float32Array, s2: Float32Array): number | undefined {
  const found = s1.findIndex((x, i) => !(Number.isFinite(x) && s2[i] >= 0 && s2[i] < Number.POSITIVE_INFINITY));
  return found === -1 ? undefined : found;
}
