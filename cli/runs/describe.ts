/** A list of runs for people. Pure. */
import type { RunCondition, RunOverview } from "../../server/index.js";
import { epochs } from "../progress/facts.js";
import { count, cutTo, duration, measure, percent, printable } from "../progress/format.js";
import { table } from "../progress/table.js";
import type { Paint } from "../progress/view.js";

/** What is known of one folder: its run, or why it can't be read. */
export type ListedRun = RunOverview | { readonly folder: string; readonly problem: string };

export interface ListSize {
  /** Undefined: as wide as it needs to be, for a pipe. */
  readonly columns: number | undefined;
  readonly paint: Paint;
}

const HEAD = ["run", "task", "model", "parameters", "samples", "epochs", "test loss", "accuracy", "best", "state"];
const COLUMNS = [...HEAD, "when", "hash"];
/** What a narrow terminal does without, in this order. */
const LEAST_IMPORTANT = ["model", "hash", "best", "parameters", "task", "samples", "test loss", "when"];
const HASH_LENGTH = 8;

/** A line for each run below a line of headings. */
export function runLines(runs: readonly ListedRun[], nowMs: number, { columns, paint }: ListSize): string[] {
  const rows = runs.flatMap((run) => ("problem" in run ? [] : [cellsOf(run, nowMs)]));
  let shown: readonly string[] = COLUMNS;
  const linesOf = () => table([COLUMNS, ...rows].map((row) => row.filter((_, i) => shown.includes(COLUMNS[i]))));
  for (const least of LEAST_IMPORTANT) {
    if (columns === undefined || Math.max(...linesOf().map((line) => line.length)) < columns) break;
    shown = shown.filter((name) => name !== least);
  }
  const [head, ...lines] = linesOf().map((line) => (columns === undefined ? line : cutTo(line, columns - 1)));
  const problems = runs.flatMap((run) => ("problem" in run ? [`${run.folder}: ${printable(run.problem)}`] : []));
  return [...(rows.length === 0 ? [] : [paint("dim", head), ...lines.map((line) => tint(line, paint))]), ...problems];
}

function cellsOf(run: RunOverview, nowMs: number): string[] {
  const { facts, samples, samplesTotal, last, best, stateHash, changedAt } = run;
  const isPart = samples < samplesTotal;
  const score = ({ accuracy, loss }: NonNullable<RunOverview["best"]>): string =>
    accuracy === null ? measure(loss) : percent(accuracy);
  return [
    run.folder,
    printable(run.task),
    facts?.modelKind ?? "–",
    facts === null ? "–" : count(facts.parameters),
    isPart ? `${count(samples)} of ${count(samplesTotal)}` : count(samples),
    facts === null ? "–" : epochsOf(samples, samplesTotal, facts.trainingSamples),
    last === null ? "–" : measure(last.loss),
    last === null || last.accuracy === null ? "–" : percent(last.accuracy),
    best === null ? "–" : score(best),
    run.state,
    changedAt === null ? "–" : `${duration((nowMs - Date.parse(changedAt)) / 1_000)} ago`,
    stateHash === null ? "–" : stateHash.slice(0, HASH_LENGTH),
  ];
}

function epochsOf(samples: number, samplesTotal: number, trainingSamples: number): string {
  const done = epochs(samples, trainingSamples);
  return samples < samplesTotal ? `${done} of ${epochs(samplesTotal, trainingSamples)}` : done;
}

const COLOURS: readonly (readonly [RunCondition, Parameters<Paint>[0]])[] = [
  ["running", "green"],
  ["failed", "yellow"],
];

function tint(line: string, paint: Paint): string {
  for (const [state, colour] of COLOURS) {
    const at = line.lastIndexOf(`  ${state}`);
    if (at >= 0) return `${line.slice(0, at)}  ${paint(colour, state)}${line.slice(at + 2 + state.length)}`;
  }
  return line;
}
