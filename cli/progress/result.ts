import { join } from "node:path";
import { RUN_FILES, type Summary } from "../../server/record/index.js";
import { count, duration, measure, percent } from "./format.js";
import type { Paint } from "./view.js";

const HEADS = {
  complete: "trained",
  stopped: "stopped; the same command goes on from here",
  "already complete": "was trained already; more --steps make it longer",
};

/** What came of a run, a line each. */
export function resultLines(
  outcome: "complete" | "stopped" | "already complete",
  summary: Summary,
  folder: string,
  paint: Paint,
): string[] {
  const { steps, samples, durationSeconds, samplesPerSecond, finalEvaluation, stateHash } = summary;
  const rows: [string, string][] = [
    ["samples", `${count(samples)} in ${count(steps)} steps`],
    ["speed", `${measure(samplesPerSecond)} samples/s for ${duration(durationSeconds)}`],
  ];
  if (finalEvaluation !== null) {
    const { loss, accuracy, step } = finalEvaluation;
    const when = step === steps ? "" : ` (after step ${count(step)})`;
    rows.push(["test loss", `${measure(loss)}${when}`]);
    if (accuracy !== null) rows.push(["accuracy", `${percent(accuracy)}${when}`]);
  }
  const { trainingLoss } = summary;
  // Summaries of older versions don't have it.
  if (trainingLoss?.risen) {
    const { first, last } = trainingLoss;
    rows.push([
      "loss",
      `${measure(last)} at the end, above the ${measure(first)} of the first step: lower learningRate, or look at the data`,
    ]);
  }
  for (const at of summary.extendedAtSamples ?? []) rows.push(["extended", `after ${count(at)} samples, by --extend`]);
  rows.push(["state", stateHash], ["report", join(folder, RUN_FILES.report)]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    `${paint("bold", summary.task)} ${HEADS[outcome]}`,
    ...rows.map(([label, value]) => `  ${paint("dim", label.padEnd(width))}  ${value}`),
  ];
}
