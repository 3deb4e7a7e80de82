import { invalid } from "../errors.js";

/**
 * The learning rate as a function of samples seen, so that it means the same however many micro-batches a step
 * takes. It rises linearly from 0 at sample 0 to the reference learning rate at `warmupSamples`, then follows its
 * `kind` to `finalFraction` of it at `totalSamples`, and stays there.
 *
 * A run that is made longer may have its schedule stretched. The samples before that were trained on the old schedule,
 * which therefore is part of the new one: whenever the run rolls back, it uses the same learning rates again.
 */
export interface Schedule {
  readonly kind: "constant" | "linear" | "cosine";
  readonly warmupSamples: number;
  /** The run's length in samples; not used by `constant`. */
  readonly totalSamples: number;
  /** In [0, 1]; not used by `constant`. */
  readonly finalFraction: number;
  /** What `totalSamples` was before, in order: for samples below `untilSamples`. */
  readonly earlier?: readonly EarlierEnd[];
}

export interface EarlierEnd {
  readonly untilSamples: number;
  readonly totalSamples: number;
}

/** The learning rate in float64 after `samples` samples. */
export function learningRateAt(schedule: Schedule, learningRate: number, samples: number): number {
  const { kind, warmupSamples, finalFraction, earlier = [] } = schedule;
  const { totalSamples } = earlier.find(({ untilSamples }) => samples < untilSamples) ?? schedule;
  if (samples < warmupSamples) return (learningRate * samples) / warmupSamples;
  if (kind === "constant") return learningRate;
  if (samples >= totalSamples) return learningRate * finalFraction;
  const passed = (samples - warmupSamples) / (totalSamples - warmupSamples);
  const left = kind === "linear" ? 1 - passed : (1 + Math.cos(Math.PI * passed)) / 2;
  return learningRate * (finalFraction + (1 - finalFraction) * left);
}

/** The learning rates of `microBatches` micro-batches from number `firstMicroBatch` on, each read at its start. */
export function learningRatesOf(
  schedule: Schedule,
  learningRate: number,
  microBatchSize: number,
  firstMicroBatch: number,
  microBatches: number,
): Float64Array {
  return Float64Array.from({ length: microBatches }, (_, j) =>
    learningRateAt(schedule, learningRate, (firstMicroBatch + j) * microBatchSize),
  );
}

/** @throws {IsobatchError} `invalid_input` if a field is out of its range */
export function checkSchedule(schedule: Schedule): void {
  const { kind, warmupSamples, totalSamples, finalFraction, earlier = [] } = schedule;
  if (!(Number.isFinite(warmupSamples) && warmupSamples >= 0)) {
    invalid(`schedule.warmupSamples is ${warmupSamples}; it must be a number of samples of at least 0.`);
  }
  if (kind === "constant") return;
  if (!(Number.isFinite(totalSamples) && totalSamples > warmupSamples)) {
    invalid(
      `schedule.totalSamples is ${totalSamples}; it must be more than schedule.warmupSamples, which is ${warmupSamples}.`,
    );
  }
  for (const [i, { untilSamples }] of earlier.entries()) {
    if (i > 0 && untilSamples <= earlier[i - 1].untilSamples) {
      invalid(
        `schedule.earlier[${i}].untilSamples is ${untilSamples}; it must be more than the one before, ` +
          `${earlier[i - 1].untilSamples}.`,
      );
    }
  }
  if (!(finalFraction >= 0 && finalFraction <= 1)) {
    invalid(`schedule.finalFraction is ${finalFraction}; it must be between 0 and 1.`);
  }
}
