import { noiseScale } from "../../shared/optimizer/index.js";
import type { Task } from "../../tasks/index.js";
import type { EvaluationLine, LedgerLine, StepLine } from "../record/index.js";
import type { CommittedStep } from "./core/index.js";

/** Turns what the core has decided into the lines of the run directory's records. */
export interface Recorder {
  /** @param samplesMs the longest that a thread of its workers waited for samples */
  step(commit: CommittedStep, samplesMs: number): StepLine;
  ledger(commit: CommittedStep): LedgerLine[];
  evaluation(result: { step: number; microBatches: number; lossSum: number; correct: number }): EvaluationLine;
}

/** @param testSamples the size of the test part; 0 without one. @param classified whether "correct" has a meaning. */
export function createRecorder(task: Task, testSamples: number, classified: boolean): Recorder {
  const b = task.microBatchSize;

  return {
    step({ plan, coefficients, scalars, noise, ms }, samplesMs) {
      const { microBatches } = plan;
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
          ...ms,
          samples: samplesMs,
          merge: longest((shard) => shard.mergeMs),
          update: longest((shard) => shard.applyMs),
        },
      };
    },

    ledger: ({ term, plan, scalars }) =>
      scalars.map(({ ledger }, shard) => ({
        step: plan.step,
        shard,
        term,
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
  };
}

function workersOf(ledger: CommittedStep["scalars"][number]["ledger"]): string[] {
  return ledger.flatMap(({ ranges }) => ranges.map(({ worker }) => worker));
}
