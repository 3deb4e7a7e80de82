import { NO_NOISE, noiseParts, noiseScale, smoothNoise, weightSums } from "../../shared/optimizer/index.js";
import type { Task } from "../../tasks/index.js";
import type { EvaluationLine, LedgerLine, StepLine } from "../observe/index.js";
import type { CommittedStep } from "./core/index.js";

/** How much one step weighs in the smoothed noise scale. */
const NOISE_RATE = 0.02;

/** What workers say of their leases, in milliseconds; the longest of a step counts. */
export interface WorkerTimes {
  samples: number;
  push: number;
}

/** Turns what the core decided into the lines that the run directory keeps. */
export interface Recorder {
  step(commit: CommittedStep, times: WorkerTimes): StepLine;
  ledger(commit: CommittedStep): LedgerLine[];
  evaluation(result: { step: number; microBatches: number; lossSum: number; correct: number }): EvaluationLine;
  /** The run went back: averages begin anew. */
  reset(): void;
}

/** @param testSamples of the test part; 0 without one. @param classified whether "correct" has a meaning. */
export function createRecorder(task: Task, testSamples: number, classified: boolean): Recorder {
  const b = task.microBatchSize;
  let noise = NO_NOISE;

  return {
    step({ plan, coefficients, scalars, ms }, times) {
      const total = (pick: (shard: (typeof scalars)[number]) => readonly number[]): number =>
        scalars.reduce((sum, shard) => pick(shard).reduce((inner, value) => inner + value, sum), 0);
      const { leafWeights1: w1, leafWeights2: w2, microBatches } = plan;
      const parts = noiseParts({
        squaredNorm1: total((shard) => shard.squaredNorms1),
        sum2: total((shard) => shard.sums2),
        microBatchSize: b,
        weights: weightSums(microBatches, w1 && w2 && { w1, w2 }),
      });
      if (parts !== undefined) noise = smoothNoise(noise, parts, NOISE_RATE);
      const { losses } = scalars.find((shard) => shard.losses.length > 0)!;
      const longest = (pick: (shard: (typeof scalars)[number]) => number): number => Math.max(...scalars.map(pick));
      return {
        type: "step",
        step: plan.step,
        samples: (plan.firstMicroBatch + microBatches) * b,
        loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
        learningRate: coefficients.learningRate,
        gamma1: coefficients.gamma1,
        gamma2: coefficients.gamma2,
        microBatches,
        workers: new Set(workersOf(scalars[0].ledger)).size,
        noiseScale:
          noise.weight === 0
            ? null
            : { trace: noise.trace, squaredGradient: noise.squaredGradient, scale: noiseScale(noise) ?? null },
        ms: {
          step: ms.step,
          compute: ms.compute,
          samples: times.samples,
          push: times.push,
          merge: longest((shard) => shard.mergeMs),
          update: longest((shard) => shard.applyMs),
        },
      };
    },

    ledger: ({ epoch, plan, scalars }) =>
      scalars.map(({ ledger }, shard) => ({
        step: plan.step,
        shard,
        epoch,
        merged: ledger.map(({ firstChunk, endChunk, ranges }) => ({
          chunks: [firstChunk, endChunk],
          ranges: ranges.map(({ lo, hi, worker }) => [lo, hi, worker] as const),
        })),
      })),

    evaluation: ({ step, microBatches, lossSum, correct }) => ({
      type: "evaluation",
      step,
      samples: microBatches * b,
      loss: lossSum / testSamples,
      accuracy: classified ? correct / testSamples : null,
    }),

    reset() {
      noise = NO_NOISE;
    },
  };
}

function workersOf(ledger: CommittedStep["scalars"][number]["ledger"]): string[] {
  return ledger.flatMap(({ ranges }) => ranges.map(({ worker }) => worker));
}
