import { join } from "node:path";
import { type JsonLines, openJsonLines } from "./json-lines.js";

/**
 * The records of a run while it runs: `metrics.jsonl` for people and plots, `ledger.jsonl` to verify that each
 * micro-batch was counted exactly once. When a run rolls back to step s, both are cut back to it, so that they always
 * describe one history, the one that led to the present weights; events record the others.
 */

/** A step that was committed. */
export interface StepLine {
  readonly type: "step";
  /** From 0; the step took the weights from version `step` to `step + 1`. */
  readonly step: number;
  /** Samples that the run has trained after this step. */
  readonly samples: number;
  /** Mean over the step's samples, before the update. */
  readonly loss: number;
  /** η' of the step. */
  readonly learningRate: number;
  readonly gamma1: number;
  readonly gamma2: number;
  /** κ of the step. */
  readonly microBatches: number;
  /** The number of workers that contributed. */
  readonly workers: number;
  /** Averages over the steps so far; `scale` (B_simple, in samples) is null while it is not resolved. */
  readonly noiseScale: {
    readonly trace: number;
    readonly squaredGradient: number;
    readonly scale: number | null;
  } | null;
  /** Milliseconds by phase: see `StepPhases`; `samples` is part of compute, `merge` and `update` are parts of push. */
  readonly ms: Readonly<Record<string, number>>;
}

/** An evaluation of the weights of version `step` on the test samples. */
export interface EvaluationLine {
  readonly type: "evaluation";
  readonly step: number;
  readonly samples: number;
  readonly loss: number;
  /** Share in [0, 1]; null where it has no meaning. */
  readonly accuracy: number | null;
}

/** An event: a worker that joined or left, a rollback, a checkpoint. docs/reference/run-directory.md lists them. */
export interface EventLine {
  readonly type: "event";
  readonly event: string;
  /** ISO 8601. */
  readonly at: string;
  readonly [detail: string]: unknown;
}

export type MetricsLine = StepLine | EvaluationLine | EventLine;

/** The leaves that one shard merged in one committed step. */
export interface LedgerLine {
  readonly step: number;
  readonly shard: number;
  readonly term: number;
  /** For chunks [first, end): leaves [lo, hi) came from a worker. */
  readonly merged: readonly {
    readonly chunks: readonly [first: number, end: number];
    readonly ranges: readonly (readonly [lo: number, hi: number, worker: string])[];
  }[];
}

/** A file of lines that can be cut back to a step. */
export interface RunRecord<Line> extends Omit<JsonLines<Line>, "cut"> {
  /** Removes the lines of step `step` and later ones; events stay. */
  cutBack(step: number): void;
}

export const METRICS_FILE = "metrics.jsonl";
export const LEDGER_FILE = "ledger.jsonl";

export function openMetrics(runFolder: string): RunRecord<MetricsLine> {
  const lines = openJsonLines<MetricsLine>(join(runFolder, METRICS_FILE));
  return withCutBack(lines, (line, step) => line.type === "event" || line.step < step);
}

export function openLedger(runFolder: string): RunRecord<LedgerLine> {
  const lines = openJsonLines<LedgerLine>(join(runFolder, LEDGER_FILE));
  return withCutBack(lines, (line, step) => line.step < step);
}

function withCutBack<Line>(lines: JsonLines<Line>, keeps: (line: Line, step: number) => boolean): RunRecord<Line> {
  const { cut, ...rest } = lines;
  return {
    ...rest,
    get count() {
      return lines.count;
    },
    cutBack: (step) => cut((line) => keeps(line, step)),
  };
}
