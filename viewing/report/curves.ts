import type { MetricsLine } from "../../server/record/index.js";
import { averages, downsample, type Points, smooth } from "./downsample.js";

/** A run as curves over the samples seen, each short enough to draw and to send. */
export interface RunCurves {
  readonly trainLoss: Points;
  readonly trainLossSmoothed: Points;
  readonly testLoss: Points;
  /** In percent. */
  readonly testAccuracy: Points;
  readonly learningRate: Points;
  /** Γ1 and Γ2. */
  readonly gamma1: Points;
  readonly gamma2: Points;
  readonly microBatches: Points;
  readonly workers: Points;
  /** Milliseconds, averaged over stretches of steps. */
  readonly phases: readonly { readonly name: string; readonly points: Points }[];
  /** B_simple, in samples, where it is resolved. */
  readonly noiseScale: Points;
  /** κ·b, in samples. */
  readonly batchSize: Points;
}

/** Points of a curve at most. */
export const CURVE_POINTS_MAX = 2000;
const PHASE_POINTS_MAX = 300;
/** The smoothed loss looks back and ahead over this share of the run. */
const SMOOTHED_SHARE = 1 / 100;

/**
 * Reads a run's metrics once, in order.
 * @param microBatchSize b
 */
export function collectCurves(lines: Iterable<MetricsLine>, microBatchSize: number): RunCurves {
  const curve = () => ({ x: [] as number[], y: [] as number[] });
  const [trainLoss, testLoss, testAccuracy, learningRate] = [curve(), curve(), curve(), curve()];
  const [gamma1, gamma2] = [curve(), curve()];
  const [microBatches, workers, noiseScale, batchSize] = [curve(), curve(), curve(), curve()];
  const phases = new Map<string, ReturnType<typeof curve>>();
  /** A diverged loss is null in JSON: it leaves a hole instead of a point. */
  const add = ({ x, y }: ReturnType<typeof curve>, at: number, value: number | null | undefined, scale = 1) => {
    if (typeof value !== "number" || !Number.isFinite(value)) return;
    x.push(at);
    y.push(value * scale);
  };
  for (const line of lines) {
    if (line.type === "evaluation") {
      add(testLoss, line.samples, line.loss);
      add(testAccuracy, line.samples, line.accuracy, 100);
    } else if (line.type === "step") {
      add(trainLoss, line.samples, line.loss);
      add(learningRate, line.samples, line.learningRate);
      add(gamma1, line.samples, line.gamma1);
      add(gamma2, line.samples, line.gamma2);
      add(microBatches, line.samples, line.microBatches);
      add(workers, line.samples, line.workers);
      add(noiseScale, line.samples, line.noiseScale?.scale);
      add(batchSize, line.samples, line.microBatches, microBatchSize);
      for (const [name, ms] of Object.entries(line.ms)) {
        const phase = phases.get(name) ?? curve();
        phases.set(name, phase);
        add(phase, line.samples, ms);
      }
    }
  }
  const short = (points: Points) => downsample(points, CURVE_POINTS_MAX);
  return {
    trainLoss: short(trainLoss),
    trainLossSmoothed: short(smooth(trainLoss, trainLoss.x.length * SMOOTHED_SHARE)),
    testLoss: short(testLoss),
    testAccuracy: short(testAccuracy),
    learningRate: short(learningRate),
    gamma1: short(gamma1),
    gamma2: short(gamma2),
    microBatches: short(microBatches),
    workers: short(workers),
    phases: [...phases].map(([name, points]) => ({ name, points: averages(points, PHASE_POINTS_MAX) })),
    noiseScale: short(noiseScale),
    batchSize: short(batchSize),
  };
}
