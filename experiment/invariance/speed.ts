/**
 * Speed per sample: how much of a run's progress with one micro-batch per step a run with κ makes from the same number
 * of samples. 1 is invariance; below 1 larger batches train slower.
 */
import { type Hyperparameters, type NoiseParts, stepCoefficients } from "../../shared/optimizer/index.js";
import type { Task } from "../../tasks/index.js";
import type { LossCurve } from "./gap.js";

/**
 * The speed that the optimizer's own rule predicts if the weights hardly move during a step. Per coordinate let μ
 * be the mean of a micro-batch's gradient, σ² its variance and r = μ²/σ². Then v tends to μ² + σ² at κ = 1, and at κ
 * to the same if it averages squares, or to μ² + σ²/κ if it averages the square of the mean; the step goes with
 * η'/√v, and one step stands for κ. For the square-root rule that makes √((1+r)/(1+κr)), for unscaled Adam
 * κ⁻¹·√((1+r)/(r+1/κ)).
 */
export function predictedSpeed(optimizer: Task["optimizer"], kappa: number, ratio: number): number {
  const { learningRate, squareOfSum } = stepCoefficients({
    optimizer,
    hyperparameters: UNIT,
    schedule: { kind: "constant", warmupSamples: 0, totalSamples: 1, finalFraction: 0 },
    microBatchSize: 1,
    firstMicroBatch: 0,
    microBatches: kappa,
    c1: 0,
    c2: 0,
  });
  return (learningRate / kappa) * Math.sqrt((1 + ratio) / (ratio + (squareOfSum ? 1 / kappa : 1)));
}

const UNIT: Hyperparameters = { learningRate: 1, beta1: 1, beta2: 1, epsilon: 1, weightDecay: 0 };

/** r = μ²/σ² of a micro-batch of b samples, over all coordinates; undefined where the noise is not resolved. */
export function signalToNoise({ trace, squaredGradient }: NoiseParts, microBatchSize: number): number | undefined {
  return trace > 0 && squaredGradient > 0 ? (squaredGradient * microBatchSize) / trace : undefined;
}

/**
 * The speed that was seen: the samples that the reference needed for the lowest loss that both reached, over the
 * samples that the run needed for it.
 * @returns undefined if either never got below its first loss
 */
export function measuredSpeed(curve: LossCurve, reference: LossCurve): number | undefined {
  const loss = Math.max(Math.min(...curve.losses), Math.min(...reference.losses));
  const [own, others] = [samplesTo(curve, loss), samplesTo(reference, loss)];
  return own !== undefined && others !== undefined && own > 0 && others > 0 ? others / own : undefined;
}

/** The samples after which the loss is first down to `target`, on the straight line between two evaluations. */
function samplesTo({ samples, losses }: LossCurve, target: number): number | undefined {
  const i = losses.findIndex((loss) => loss <= target);
  if (i <= 0) return i === 0 ? samples[0] : undefined;
  const share = (losses[i - 1] - target) / (losses[i - 1] - losses[i]);
  return samples[i - 1] + share * (samples[i] - samples[i - 1]);
}
