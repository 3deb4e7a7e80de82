import { basename, dirname, join, resolve } from "node:path";
import { count, duration, measure, percent, plural } from "../../shared/format.js";
import { COLOURS, type Curve } from "../charts/index.js";
import { type DetailGroup, epochsText, taskDetails } from "../details/index.js";
import { type Column, detailGroups, figure, folded, html, table } from "../html.js";
import { reportDocument } from "./document.js";
import { type ChartData, chartsOf } from "./report-data.js";
import { type RunFiles, readRunFiles } from "./run-files.js";

/** One run among several. */
interface NamedRun {
  readonly name: string;
  readonly files: RunFiles;
  readonly charts: readonly ChartData[];
  readonly details: readonly DetailGroup[];
}

/** A chart with one curve per run. */
interface Comparison {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly unit: ChartData["unit"];
  /** The chart of a single run, and the label of the curve in it. */
  readonly from: readonly [chart: string, label: string];
}

const COMPARISONS: readonly Comparison[] = [
  { ...titled("runs-train-loss", "Training loss", "Smoothed over the steps."), from: ["loss", "train"] },
  { ...titled("runs-test-loss", "Test loss", "On the test samples."), from: ["loss", "test"] },
  {
    ...titled(
      "runs-accuracy",
      "Test accuracy",
      "Test samples that are classified correctly, once training has started.",
    ),
    unit: "%",
    from: ["accuracy", "test"],
  },
  {
    ...titled("runs-learning-rate", "Learning rate", "The step size that the schedule and the batch size give."),
    from: ["learning-rate", "learning rate"],
  },
];

function titled(id: string, title: string, note: string) {
  return { id, title, note, unit: "" } as const;
}

/**
 * Several runs on one page: a chart per quantity with one curve per run, their results, and the settings in which they
 * differ.
 * @param runFolders run directories
 * @throws {IsobatchError} `invalid_input` for a folder that is not a run directory; `damaged` for files that can't be read
 */
export function renderRunsReport(runFolders: readonly string[]): string {
  const names = runNames(runFolders);
  const runs = runFolders.map((folder, i): NamedRun => {
    const files = readRunFiles(folder);
    const { task, identity, history } = files;
    const sizes = { microBatchSize: task.microBatchSize, samplesTotal: task.samples };
    const charts = chartsOf(history, sizes).map(({ data }) => data);
    return { name: names[i], files, charts, details: taskDetails(task, identity.facts) };
  });
  const charts = COMPARISONS.map((comparison) => compared(comparison, runs)).filter(({ curves }) => curves.length > 0);
  const figures = charts.map((chart) => {
    const { note, from } = COMPARISONS.find(({ id }) => id === chart.id)!;
    return figure({ ...chart, note, hasAxisButton: from[0] === "loss" });
  });
  const title = plural(runs.length, "run");
  const body = [
    `<header><h1>${html(title)}</h1><p>${html(taskNames(runs))}</p></header>`,
    `<section class="card"><h2>Results</h2><div class="scroll-x" tabindex="0" role="region" aria-label="Results">${resultsTable(runs)}</div></section>`,
    `<section class="charts pairs">${figures.join("")}</section>`,
    differences(runs),
    folded("The same in all runs", detailGroups(commonDetails(runs))),
  ];
  return reportDocument(title, body.join("\n"), { charts });
}

/** The last parts of the folders' paths, as many as tell them apart. */
export function runNames(runFolders: readonly string[]): string[] {
  const lastParts = (path: string, parts: number): string =>
    parts === 1 ? basename(path) : join(lastParts(dirname(path), parts - 1), basename(path));
  const paths = runFolders.map((folder) => resolve(folder));
  const longest = Math.max(...paths.map((path) => path.split("/").length), 1);
  for (let parts = 1; parts < longest; parts++) {
    const names = paths.map((path) => lastParts(path, parts));
    if (new Set(names).size === new Set(paths).size) return names;
  }
  return paths;
}

function compared({ id, title, unit, from: [chart, label] }: Comparison, runs: readonly NamedRun[]): ChartData {
  const curves = runs.flatMap(({ name, charts }, i): Curve[] => {
    const curve = charts.find((each) => each.id === chart)?.curves.find((each) => each.label === label);
    return curve === undefined ? [] : [{ ...curve, label: name, colour: colourOf(i) }];
  });
  const logarithmic = runs.some(
    ({ charts }) => chart === "loss" && charts.some((each) => each.id === chart && each.logarithmic),
  );
  return { id, title, unit, curves, logarithmic };
}

function colourOf(run: number): number {
  return 1 + (run % COLOURS);
}

function taskNames(runs: readonly NamedRun[]): string {
  const names = [...new Set(runs.map(({ files }) => files.task.name))];
  return names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more tasks`;
}

const RUN_COLUMN: Column = { title: "Run" };

function runCell(name: string, run: number): string {
  return `<span class="key key-${colourOf(run)}"></span>${html(name)}`;
}

function resultsTable(runs: readonly NamedRun[]): string {
  const columns: Column[] = [
    RUN_COLUMN,
    { title: "State" },
    ...["Test accuracy", "Best", "Test loss", "Training loss", "Epochs", "Samples", "Steps", "Time", "Samples/s"].map(
      (title) => ({ title, isNumber: true }),
    ),
    { title: "State hash" },
  ];
  const rows = runs.map(({ name, files }, i) => [runCell(name, i), ...resultCells(files)]);
  return table(columns, rows);
}

function resultCells({ summary, evaluations, identity, samples, steps, task }: RunFiles): string[] {
  const share = (accuracy: number | null | undefined): string => (accuracy == null ? "–" : percent(accuracy));
  const size = (value: number | undefined): string => (value === undefined ? "–" : measure(value));
  const isUnfinished = summary === undefined || samples < task.samples;
  const state = summary?.failure != null ? "failed" : isUnfinished ? "not finished" : "complete";
  const epochs = epochsText(samples, identity.facts?.trainingSamples)?.replace(/ epochs?$/, "");
  return [
    state,
    share(evaluations?.last.accuracy),
    share(evaluations?.best.accuracy),
    size(evaluations?.last.loss),
    size(summary?.trainingLoss?.last),
    epochs ?? "–",
    count(samples),
    count(steps),
    summary === undefined ? "–" : duration(summary.durationSeconds),
    size(summary?.samplesPerSecond),
    html(summary?.stateHash.slice(0, 12) ?? "–"),
  ];
}

/** A setting by the heading it is under, since names repeat. */
function settingsOf({ details }: NamedRun): Map<string, string> {
  return new Map(
    details.flatMap(({ title, rows }) => rows.map(([name, value]) => [`${title}\n${name}`, value] as const)),
  );
}

/** The settings in which the runs differ, in their order. */
function differingSettings(runs: readonly NamedRun[]): string[] {
  const all = runs.map(settingsOf);
  const keys = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  return keys.filter((key) => new Set(all.map((settings) => settings.get(key))).size > 1);
}

function differences(runs: readonly NamedRun[]): string {
  const keys = differingSettings(runs);
  if (runs.length < 2) return "";
  if (keys.length === 0)
    return '<section class="card"><h2>Settings that differ</h2><p>None: all runs have the same task.</p></section>';
  const columns: Column[] = [RUN_COLUMN, ...keys.map((key) => ({ title: key.split("\n")[1], isWide: true }))];
  const rows = runs.map((run, i) => {
    const settings = settingsOf(run);
    return [runCell(run.name, i), ...keys.map((key) => html(settings.get(key) ?? "–"))];
  });
  return `<section class="card"><h2>Settings that differ</h2><div class="scroll-x" tabindex="0" role="region" aria-label="Settings that differ">${table(columns, rows)}</div></section>`;
}

function commonDetails(runs: readonly NamedRun[]): DetailGroup[] {
  const differing = new Set(differingSettings(runs));
  return (runs[0]?.details ?? []).map(({ title, rows }) => ({
    title,
    rows: rows.filter(([name]) => !differing.has(`${title}\n${name}`)),
  }));
}
