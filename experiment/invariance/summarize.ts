/** The experiment's results from the runs' lines: gaps, floors, speeds and noise, by arm, κ and learning rate. */
import { type NoiseParts, noiseScale } from "../../shared/optimizer/index.js";
import { findArm } from "./arms.js";
import { gapBetween, type LossCurve, mean } from "./gap.js";
import type { RunResult } from "./perform.js";
import { measuredSpeed, predictedSpeed, signalToNoise } from "./speed.js";

/** Over the seeds; null if one of them diverged. */
export interface Over {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** The results of one arm at one κ and learning rate. */
export interface Cell {
  readonly arm: string;
  readonly kappa: number;
  readonly learningRate: number;
  readonly seeds: number;
  readonly diverged: number;
  /** max over time of |L_κ − L_1| / L_1. */
  readonly gap: Over | null;
  /** The mean of the same, signed: above 0 the larger batches train slower. */
  readonly signedGap: number | null;
  /** The mean of max over time of |L_κ − L_1|. */
  readonly absoluteGap: number | null;
  /** The mean of (L_κ − L_1) / L_1 at the end. */
  readonly endGap: number | null;
  /** The mean loss at the end. */
  readonly endLoss: number | null;
  /** B_simple in samples, from this arm's own sums, its parts averaged over steps and seeds; null: not resolved. */
  readonly noiseScale: number | null;
  /** μ²/σ² of one micro-batch. */
  readonly signalToNoise: number | null;
  readonly predictedSpeed: number | null;
  readonly measuredSpeed: number | null;
}

export interface Floors {
  readonly learningRate: number;
  /** κ = 1 twice: must be 0; null while it has not been trained. */
  readonly repeat: number | null;
  /** Whether the weights had the same bits. */
  readonly repeatSameBits: boolean | null;
  /** κ = 1 with the samples in another order. */
  readonly order: Over | null;
}

/** The mean over the seeds of one arm at one κ and learning rate. */
export interface MeanCurve extends LossCurve {
  readonly arm: string;
  readonly kappa: number;
  readonly learningRate: number;
}

export interface InvarianceSummary {
  /** The number of runs that were trained. */
  readonly runs: number;
  /** The time of computation, over all runs. */
  readonly seconds: number;
  readonly cells: readonly Cell[];
  readonly floors: readonly Floors[];
}

export function summarize(results: readonly RunResult[]): InvarianceSummary {
  const byKey = new Map(results.map((result) => [result.key, result]));
  const referenceOf = ({ reference }: RunResult): RunResult => byKey.get(reference!)!;
  const measured = results.filter(({ reference }) => reference !== null && byKey.has(reference));
  return {
    runs: results.length,
    seconds: results.reduce((sum, { seconds }) => sum + seconds, 0),
    cells: [...groups(measured.filter(({ role }) => role === "arm"))].map((runs) => cellOf(runs, referenceOf)),
    floors: [...new Set(results.map(({ learningRate }) => learningRate))].map((learningRate) => {
      const of = (role: string) => measured.filter((run) => run.role === role && run.learningRate === learningRate);
      const repeats = of("repeat");
      return {
        learningRate,
        repeat: gapsOf(repeats, referenceOf)?.mean ?? null,
        repeatSameBits:
          repeats.length === 0 ? null : repeats.every((run) => run.stateHash === referenceOf(run).stateHash),
        order: gapsOf(of("order"), referenceOf),
      };
    }),
  };
}

/** The mean curves of a finished experiment; those with a diverged seed are left out. */
export function meanCurves(results: readonly RunResult[]): MeanCurve[] {
  const curves: MeanCurve[] = [];
  for (const runs of groups(results.filter(({ role }) => role === "arm" || role === "reference"))) {
    if (runs.some(({ divergedAt }) => divergedAt !== null)) continue;
    const [{ arm, kappa, learningRate, evaluations }] = runs;
    const losses = evaluations.map((_, i) => mean(runs.map((run) => run.evaluations[i].loss)));
    curves.push({ arm, kappa, learningRate, samples: evaluations.map(({ samples }) => samples), losses });
  }
  return curves;
}

function* groups(results: readonly RunResult[]): Generator<RunResult[]> {
  const found = new Map<string, RunResult[]>();
  for (const run of results) {
    const name = [run.arm, run.learningRate, run.kappa].join("/");
    const group = found.get(name);
    if (group === undefined) found.set(name, [run]);
    else group.push(run);
  }
  yield* found.values();
}

function cellOf(runs: readonly RunResult[], referenceOf: (run: RunResult) => RunResult): Cell {
  const [{ arm, kappa, learningRate, microBatchSize }] = runs;
  const gaps = runs.map((run) => gapBetween(curveOf(run), curveOf(referenceOf(run))));
  const whole = gaps.filter((gap) => gap !== undefined);
  const overSeeds = (values: readonly number[]): number | null => (whole.length < runs.length ? null : mean(values));
  const noise = noiseOf(runs);
  const ratio = noise && signalToNoise(noise, microBatchSize);
  const speeds = runs.map((run) => measuredSpeed(curveOf(run), curveOf(referenceOf(run))));
  return {
    arm,
    kappa,
    learningRate,
    seeds: runs.length,
    diverged: runs.filter(({ divergedAt }) => divergedAt !== null).length,
    gap: gapsOf(runs, referenceOf),
    signedGap: overSeeds(whole.map(({ signed }) => signed)),
    absoluteGap: overSeeds(whole.map(({ absolute }) => absolute)),
    endGap: overSeeds(whole.map(({ atEnd }) => atEnd)),
    endLoss: overSeeds(runs.map(({ evaluations }) => evaluations.at(-1)?.loss ?? Number.NaN)),
    noiseScale: (noise && noiseScale(noise)) ?? null,
    signalToNoise: ratio ?? null,
    predictedSpeed: ratio === undefined ? null : predictedSpeed(findArm(arm).optimizer, kappa, ratio),
    measuredSpeed: speeds.every((speed) => speed !== undefined) ? mean(speeds) : null,
  };
}

/** Part by part: the mean of ratios would not be the ratio of means. */
function noiseOf(runs: readonly RunResult[]): NoiseParts | undefined {
  const parts = runs.map(({ noise }) => noise).filter((noise) => noise !== null);
  if (parts.length < runs.length || parts.length === 0) return undefined;
  return {
    trace: mean(parts.map(({ trace }) => trace)),
    squaredGradient: mean(parts.map(({ squaredGradient }) => squaredGradient)),
  };
}

function gapsOf(runs: readonly RunResult[], referenceOf: (run: RunResult) => RunResult): Over | null {
  const gaps = runs.map((run) => gapBetween(curveOf(run), curveOf(referenceOf(run)))?.relative);
  const known = gaps.filter((gap) => gap !== undefined);
  if (known.length === 0 || known.length < runs.length) return null;
  return { mean: mean(known), least: Math.min(...known), most: Math.max(...known) };
}

function curveOf({ evaluations }: RunResult): LossCurve {
  return { samples: evaluations.map(({ samples }) => samples), losses: evaluations.map(({ loss }) => loss) };
}
