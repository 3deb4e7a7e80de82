import type { EvaluationLine, MetricsLine, StepLine } from "../../server/record/index.js";
import { addEvaluation, addStep, createHistory, type EvaluationRow, type History, type StepRow } from "./history.js";

/** A step's line of metrics.jsonl as a row. @param phases in whose order its times are */
export function stepRow(
  { step, samples, loss, learningRate, microBatches, workers, noiseScale, gamma1, gamma2, ms }: StepLine,
  phases: readonly string[],
): StepRow {
  const times = phases.map((phase) => rounded(ms[phase]) ?? 0);
  const scale = rounded(noiseScale?.scale);
  return [step, samples, rounded(loss), learningRate, microBatches, workers, scale, gamma1, gamma2, ...times];
}

export function evaluationRow({ step, samples, loss, accuracy }: EvaluationLine): EvaluationRow {
  return [step, samples, rounded(loss), accuracy];
}

/** A finished record's history. */
export function historyOf(lines: Iterable<MetricsLine>): History {
  const history = createHistory();
  for (const line of lines) {
    if (line.type === "evaluation") addEvaluation(history, evaluationRow(line));
    if (line.type !== "step") continue;
    if (history.phases.length === 0) history.phases = Object.keys(line.ms);
    addStep(history, stepRow(line, history.phases));
  }
  return history;
}

/** Six digits are more than a screen shows. JSON has no NaN: it is null there already. */
function rounded(value: number | null | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}
