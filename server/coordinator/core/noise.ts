import { noiseParts, type SmoothedNoise, smoothNoise, weightSums } from "../../../shared/optimizer/index.js";
import type { StepPlan } from "../../../shared/steps/index.js";
import type { ShardScalars } from "./messages.js";

/** The weight of one step in the smoothed noise scale. */
const NOISE_RATE = 0.02;

/** The smoothed noise with a committed step added; unchanged by a step of one micro-batch, which shows no noise. */
export function addNoise(
  noise: SmoothedNoise,
  { microBatches, leafCoefficients1: w1, leafCoefficients2: w2 }: StepPlan,
  scalars: readonly ShardScalars[],
  microBatchSize: number,
): SmoothedNoise {
  // Chunk by chunk in layout order: a float64 sum depends on its order, which must not depend on the shards.
  const total = (pick: (shard: ShardScalars) => readonly number[]): number =>
    scalars.reduce((sum, shard) => pick(shard).reduce((inner, value) => inner + value, sum), 0);
  const parts = noiseParts({
    squaredNorm1: total((shard) => shard.squaredNorms1),
    sum2: total((shard) => shard.sums2),
    microBatchSize,
    weights: weightSums(microBatches, w1 && w2 && { w1, w2 }),
  });
  return parts === undefined ? noise : smoothNoise(noise, parts, NOISE_RATE);
}
