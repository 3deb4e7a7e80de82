import { join } from "node:path";
import { RUN_FILES, type Summary } from "../../server/record/index.js";
import { shellWord } from "../own-command.js";
import { epochsText } from "./facts.js";
import { count, duration, measure, percent } from "./format.js";
import type { Linker } from "./links.js";
import { labelled } from "./table.js";
import type { Paint } from "./view.js";

const HEADS = {
  complete: "trained",
  stopped: "stopped; the same command resumes it",
  "already complete": "is trained already: a larger --steps continues it, another --out trains it again",
};

export interface EndedRun {
  readonly outcome: keyof typeof HEADS;
  readonly summary: Summary;
  /** The run directory. */
  readonly folder: string;
  /** How many samples an epoch is. */
  readonly trainingSamples: number;
  /** How this program is called, for the commands that may follow. */
  readonly program: string;
}

/** What came of a run, one line each. */
export function resultLines(result: EndedRun, paint: Paint, link: Linker): string[] {
  const { outcome, summary, folder } = result;
  const report = join(folder, RUN_FILES.report);
  const rows: [string, string][] = [
    ...figureRows(result),
    ["state", summary.stateHash],
    ["report", link(report, report)],
  ];
  return [`${paint("bold", summary.task)} ${HEADS[outcome]}`, ...labelled(rows, paint)];
}

/** What can be done with a run that has ended: commands, one line each. */
export function nextCommands({ program, folder }: Pick<EndedRun, "program" | "folder">, paint: Paint): string[] {
  const run = shellWord(folder);
  const rows = [
    ["test it", `${program} evaluate ${run}`],
    ["export it", `${program} export ${run} --format tfjs`],
  ] as const;
  return labelled(rows, paint);
}

function figureRows({ summary, trainingSamples }: EndedRun): [string, string][] {
  const { steps, samples, durationSeconds, samplesPerSecond, finalEvaluation, trainingLoss } = summary;
  const rows: [string, string][] = [
    ["samples", `${count(samples)} in ${count(steps)} steps, ${epochsText(samples, trainingSamples)}`],
  ];
  if (samplesPerSecond > 0)
    rows.push(["speed", `${measure(samplesPerSecond)} samples/s for ${duration(durationSeconds)}`]);
  if (finalEvaluation !== null) {
    const { loss, accuracy, step } = finalEvaluation;
    const when = step === steps ? "" : step === 0 ? " (untrained)" : ` (after step ${count(step)})`;
    rows.push(["test loss", `${measure(loss)}${when}`]);
    if (accuracy !== null) rows.push(["accuracy", `${percent(accuracy)}${when}`]);
  }
  // Summaries of older versions don't have it.
  if (trainingLoss?.risen) {
    const { first, last } = trainingLoss;
    const rise = `${measure(last)} at the end, above the ${measure(first)} of the first step`;
    rows.push(["loss", `${rise}: lower learningRate, or look at the data`]);
  }
  for (const at of summary.extendedAtSamples ?? []) rows.push(["extended", `after ${count(at)} samples, by --extend`]);
  return rows;
}
