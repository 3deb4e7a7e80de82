import type { LeafCoefficients } from "./rules.js";

/**
 * The gradient noise scale (McCandlish et al. 2018, "An Empirical Model of Large-Batch Training", 1812.06162): up
 * to which size a larger batch pays off. It follows from a step's sums at no cost. With leaf coefficients w1, w2 and
 * W = Σ w1, Q = Σ w1², V = Σ w2 (all κ if every coefficient is 1), and |·|² over all coordinates,
 *
 *     trace(Σ) ≈ b·(W²·ΣS2/V − |S1|²) / (W² − Q)    variance of one sample's gradient
 *     |G|²     ≈ (|S1|² − Q·ΣS2/V) / (W² − Q)       squared norm of the true gradient
 *
 * Each is unbiased for micro-batches drawn independently; drawing without replacement from N samples lowers |G|² by
 * about trace(Σ)/N. Their ratio is not unbiased, so the two are averaged over steps apart and divided last. A single
 * |G|² is negative whenever noise dominates it: clamping it would bias the average, so it is never clamped, and while the
 * average is not positive the noise scale counts as not resolved.
 */

/** A step's sums as numbers. */
export interface StepNorms {
  /** |S1|². */
  readonly squaredNorm1: number;
  /** Σ S2. */
  readonly sum2: number;
  /** b, the number of samples in a micro-batch. */
  readonly microBatchSize: number;
  readonly weights: WeightSums;
}

export interface WeightSums {
  /** W = Σ w1. */
  readonly total1: number;
  /** Q = Σ w1². */
  readonly squares1: number;
  /** V = Σ w2. */
  readonly total2: number;
}

/** W, Q and V of κ micro-batches with these weights; undefined: all weigh 1. */
export function weightSums(microBatches: number, weights: LeafCoefficients | undefined): WeightSums {
  if (weights === undefined) return { total1: microBatches, squares1: microBatches, total2: microBatches };
  const { w1, w2 } = weights;
  const sum = (values: Float32Array, term: (x: number) => number): number =>
    values.reduce((total, value) => total + term(value), 0);
  return { total1: sum(w1, (w) => w), squares1: sum(w1, (w) => w * w), total2: sum(w2, (w) => w) };
}

/** One step's estimates, or an average of them; either may be negative. */
export interface NoiseParts {
  /** trace(Σ), the variance of one sample's gradient summed over all coordinates. */
  readonly trace: number;
  /** |G|². */
  readonly squaredGradient: number;
}

/** The estimates of one step; undefined with a single micro-batch, which shows no variance. */
export function noiseParts({ squaredNorm1, sum2, microBatchSize, weights }: StepNorms): NoiseParts | undefined {
  const { total1, squares1, total2 } = weights;
  const distinct = total1 ** 2 - squares1;
  if (!(distinct > 0)) return undefined;
  const meanSquare = sum2 / total2;
  return {
    trace: (microBatchSize * (total1 ** 2 * meanSquare - squaredNorm1)) / distinct,
    squaredGradient: (squaredNorm1 - squares1 * meanSquare) / distinct,
  };
}

/** Moving averages of both parts: plain data, so that they can be kept with a run. */
export interface SmoothedNoise extends NoiseParts {
  /** The total weight that the averages hold so far; 0 at the start. */
  readonly weight: number;
}

export const NO_NOISE: SmoothedNoise = { trace: 0, squaredGradient: 0, weight: 0 };

/**
 * Adds a step's estimates. Each step weighs (1 − rate) times the one after it, `rate` in (0, 1]; the averages are
 * divided by the weight they hold, so they are unbiased from the first step on.
 */
export function smoothNoise(smoothed: SmoothedNoise, parts: NoiseParts, rate: number): SmoothedNoise {
  const weight = smoothed.weight + rate * (1 - smoothed.weight);
  const share = rate / weight;
  return {
    trace: smoothed.trace + share * (parts.trace - smoothed.trace),
    squaredGradient: smoothed.squaredGradient + share * (parts.squaredGradient - smoothed.squaredGradient),
    weight,
  };
}

/** B_simple = trace(Σ)/|G|², in samples; undefined while it is not resolved. */
export function noiseScale({ trace, squaredGradient }: NoiseParts): number | undefined {
  return trace > 0 && squaredGradient > 0 ? trace / squaredGradient : undefined;
}
