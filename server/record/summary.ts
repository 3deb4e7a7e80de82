import { join } from "node:path";
import { writeFileDurably } from "../../shared/durable-file.js";
import type { Numerics } from "../../shared/numerics.js";
import type { LossTrend } from "./loss-trend.js";
import { RUN_FILES } from "./run-directory.js";

/** The result of a run: `summary.json`. */
export interface Summary {
  readonly task: string;
  readonly optimizer: string;
  readonly runId: string;
  /** The version of Isobatch. */
  readonly version: string;
  /** SHA-256 of weights, averages and counters: equal for equal runs, regardless of the cluster. */
  readonly stateHash: string;
  readonly steps: number;
  readonly samples: number;
  /** Since the last start: a resumed run counts from where it resumed. */
  readonly samplesPerSecond: number;
  readonly durationSeconds: number;
  /** Steps that were computed again after a crash or a rollback. */
  readonly recomputedSteps: number;
  /** Null before the second step. */
  readonly trainingLoss: LossTrend | null;
  readonly finalEvaluation: { readonly step: number; readonly loss: number; readonly accuracy: number | null } | null;
  /**
   * After how many samples the schedule was stretched: one entry for each time that the run was made longer with
   * --extend.
   */
  readonly extendedAtSamples: readonly number[];
  readonly workers: readonly WorkerShare[];
  readonly numerics: Numerics | null;
  /** Whether a run with the same task and numerics class gives the same bits. */
  readonly bitExact: boolean;
  /** The number of starts and rollbacks so far. */
  readonly terms: number;
  readonly finishedAt: string;
  /** Why the run failed; null if it did not. */
  readonly failure: { readonly code: string; readonly reason: string } | null;
}

export interface WorkerShare {
  readonly id: string;
  readonly host: string;
  readonly device: string;
  readonly microBatches: number;
  /** The share of all micro-batches since the last start, in [0, 1]. */
  readonly share: number;
}

/** The values from which a summary follows. */
export interface SummaryInputs extends Omit<Summary, "samplesPerSecond" | "bitExact" | "workers"> {
  /** The samples that were trained in `durationSeconds`. */
  readonly samplesOfProcess: number;
  /** Whether workers of several numerics classes took part. */
  readonly mixedNumerics: boolean;
  readonly workers: readonly Omit<WorkerShare, "share">[];
}

export function summarize({ samplesOfProcess, mixedNumerics, workers, ...rest }: SummaryInputs): Summary {
  const microBatches = workers.reduce((total, worker) => total + worker.microBatches, 0);
  return {
    ...rest,
    samplesPerSecond: rest.durationSeconds > 0 ? samplesOfProcess / rest.durationSeconds : 0,
    workers: workers.map((worker) => ({
      ...worker,
      share: microBatches === 0 ? 0 : worker.microBatches / microBatches,
    })),
    bitExact: !mixedNumerics,
  };
}

export function writeSummary(runFolder: string, summary: Summary): void {
  writeFileDurably(join(runFolder, RUN_FILES.summary), `${JSON.stringify(summary, null, 2)}\n`);
}
