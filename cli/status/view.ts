/** A run on a terminal's screen, at one moment. Pure. */
import { stripVTControlCharacters } from "node:util";
import type { Status } from "../../shared/wire/index.js";
import { epochOf } from "../progress/facts.js";
import { count, cutTo, duration, measure, percent, plural, printable, wrapText } from "../progress/format.js";
import type { Paint } from "../progress/view.js";

export interface StatusView {
  /** The newest one received. */
  readonly status: Status;
  /** HOST:PORT of the server. */
  readonly address: string;
  /** Since when and why the server can't be reached; undefined while it can. */
  readonly gone: { readonly seconds: number; readonly reason: string } | undefined;
}

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

const GAP = "  ";
/** Narrower screens get lines that are cut off. */
const COLUMNS_MIN = 40;
/** Narrower ones show their facts in one column. */
const TWO_COLUMNS_MIN = 72;
/** A column narrower than this leaves the device out. */
const LAST_COLUMN_MIN = 12;
const BAR_MIN = 10;
const HINT = "q or Ctrl-C leaves; the run continues";

/** At most `rows` lines, none longer than `columns`. The table of workers gets the remaining room. */
export function statusLines({ status, address, gone }: StatusView, { columns, rows, paint }: ViewSize): string[] {
  const width = Math.max(COLUMNS_MIN, columns);
  const warnings = [...goneLines(gone, width, paint), ...failureLines(status, width, paint)];
  const head = [...headLines(status, address, width, paint), ...warnings, ""];
  const facts = [...factLines(status, width, paint), ""];
  const shards = shardLines(status, width, paint);
  const foot = [...shards, "", paint("dim", HINT)];
  const room = rows - head.length - facts.length - foot.length - 1;
  const lines = [...head, ...facts, ...workerLines(status, width, Math.max(3, room), paint), "", ...foot];
  return lines.slice(0, rows).map((line) => fit(line, columns));
}

function headLines(status: Status, address: string, width: number, paint: Paint): string[] {
  const place = `${address}${GAP}run ${status.runId.slice(0, 8)}`;
  const left = `${status.task}${GAP}${status.phase}, term ${count(status.term)}`;
  const title = `${paint("bold", status.task)}${GAP}${phase(status, paint)}, term ${count(status.term)}`;
  const filler = " ".repeat(Math.max(GAP.length, width - left.length - place.length));
  const share = status.samplesTotal === 0 ? 0 : Math.min(1, status.samples / status.samplesTotal);
  const timed = status.samplesPerSecond > 0 && status.secondsLeft >= 0;
  const ending = [
    percent(share, 0),
    `${count(status.samples)} of ${count(status.samplesTotal)} samples`,
    `${measure(status.samplesPerSecond)}/s`,
    ...(timed ? [`${duration(status.secondsLeft)} left`] : []),
  ].join(GAP);
  const barWidth = Math.max(BAR_MIN, width - ending.length - GAP.length);
  const filled = Math.floor(share * barWidth);
  const bar = paint("green", "█".repeat(filled)) + paint("dim", "░".repeat(barWidth - filled));
  return [`${title}${filler}${paint("dim", place)}`, `${bar}${GAP}${ending}`];
}

function phase({ phase: name, workers }: Status, paint: Paint): string {
  const well = name === "stepping" || name === "evaluating" || name === "boundary" || name === "ended";
  return paint(well && workers.length > 0 ? "green" : "yellow", name);
}

function goneLines(gone: StatusView["gone"], width: number, paint: Paint): string[] {
  if (gone === undefined) return [];
  return warning(
    `no answer for ${duration(gone.seconds)}; the figures below are older. ${gone.reason} Trying again.`,
    width,
    paint,
  );
}

/** Why the run has failed, or the last error of its workers while nothing is computed. */
function failureLines({ failure, workerFailure }: Status, width: number, paint: Paint): string[] {
  if (failure !== "") return warning(`the run has failed. ${printable(failure)}`, width, paint);
  return workerFailure === "" ? [] : warning(`workers fail: ${printable(workerFailure)}`, width, paint);
}

function warning(text: string, width: number, paint: Paint): string[] {
  return wrapText(text, width)
    .split("\n")
    .map((line) => paint("yellow", line));
}

function factLines(status: Status, width: number, paint: Paint): string[] {
  const { microBatchesPerStep: kappa, microBatchSize, evaluationAccuracy } = status;
  const stepped = status.step > 0 && Number.isFinite(status.loss);
  const accuracy = Number.isFinite(evaluationAccuracy) ? `, accuracy ${percent(evaluationAccuracy)}` : "";
  const left: Fact[] = [
    ["step", `${count(status.step)} of ${count(status.steps)}`],
    ["epoch", epochOf(status.samples, status.samplesTotal, status.trainingSamples)],
    ["κ", kappaOf(status)],
    ["batch", plural(kappa * microBatchSize, "sample")],
    [
      "noise scale",
      Number.isFinite(status.noiseScale) ? plural(Math.round(status.noiseScale), "sample") : "not resolved",
    ],
  ];
  const right: Fact[] = [
    ["model", plural(status.parameters, "parameter")],
    ["loss", stepped ? measure(status.loss) : "no step yet"],
    [
      "test loss",
      status.evaluated
        ? `${measure(status.evaluationLoss)}${accuracy}${status.evaluationStep === 0 ? " (untrained)" : ""}`
        : "not evaluated yet",
    ],
    ["η′", Number.isFinite(status.learningRate) ? measure(status.learningRate) : "no step yet"],
    ["checkpoint", status.checkpointStep < 0 ? "none yet" : `of step ${count(status.checkpointStep)}`],
  ];
  const half = Math.floor((width - GAP.length) / 2);
  const single = [...left, ...right].map((fact) => cell(fact, width, paint));
  const rows =
    width < TWO_COLUMNS_MIN
      ? single
      : left.map((fact, i) => `${cell(fact, half, paint)}${GAP}${cell(right[i], half, paint)}`);
  const advice = status.advice === "" ? [] : wrapText(`more workers: ${status.advice}`, width).split("\n");
  return [...rows, ...advice.map((line) => line.replace(/^more workers:/, (label) => paint("dim", label)))];
}

/** In words: the rule, where κ follows something. */
function kappaOf({ microBatchesPerStep: kappa, kappaRule }: Status): string {
  const fixed = kappaRule === "" || kappaRule === `always ${kappa}`;
  return fixed ? plural(kappa, "micro-batch", "micro-batches") : `${count(kappa)}, ${kappaRule}`;
}

type Fact = readonly [label: string, value: string];
const LABEL_WIDTH = "noise scale".length;

function cell([label, value]: Fact, width: number, paint: Paint): string {
  const shown = cutTo(value, width - LABEL_WIDTH - GAP.length);
  const padding = " ".repeat(Math.max(0, width - LABEL_WIDTH - GAP.length - [...shown].length));
  return `${paint("dim", label.padEnd(LABEL_WIDTH))}${GAP}${paint("bold", shown)}${padding}`;
}

type Worker = Status["workers"][number];

/** Workers in these states come first; the others keep their order, so that lines don't jump. */
const UNUSUAL_STATES = ["silent", "joining", "loading weights", "draining"];
const isAtWork = ({ state }: Worker): boolean => !UNUSUAL_STATES.includes(state);

function workerLines({ workers }: Status, width: number, room: number, paint: Paint): string[] {
  if (workers.length === 0) return [paint("yellow", "no workers yet: isobatch worker join adds one")];
  const ordered = [...workers].sort((a, b) => Number(isAtWork(a)) - Number(isAtWork(b)));
  const all = ordered.length <= room - 1;
  const shown = all ? ordered : ordered.slice(0, Math.max(1, room - 2));
  const rest = ordered.slice(shown.length);
  const cells = shown.map((worker) => [
    printable(worker.id),
    worker.state,
    `${measure(worker.microBatchesPerSecond)}/s`,
    count(worker.microBatches),
    duration(worker.lastSeenSeconds),
    worker.transport === "" ? "–" : printable(worker.transport),
    `${printable(worker.device)}, ${plural(worker.computeThreads, "thread")}`,
  ]);
  const head = [plural(workers.length, "worker"), "state", "speed", "done", "last seen", "via", "device"];
  const lines = columnsOf([head, ...cells], new Set([2, 3, 4]), width);
  const painted = lines.map((line, i) => (i === 0 ? paint("dim", line) : tint(line, shown[i - 1], paint)));
  return all ? painted : [...painted, paint("dim", `and ${plural(rest.length, "more worker")}: ${tally(rest)}`)];
}

function tint(line: string, worker: Worker, paint: Paint): string {
  return isAtWork(worker) ? line : paint("yellow", line);
}

function tally(workers: readonly Worker[]): string {
  const counts = new Map<string, number>();
  for (const { state } of workers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, number]) => `${count(number)} ${state}`).join(", ");
}

/** One line, whether all shards are attached or some are missing. */
function shardLines({ shards }: Status, width: number, paint: Paint): string[] {
  const missing = shards.filter(({ state }) => state !== "attached");
  const version = `at version ${count(Math.min(...shards.map((shard) => shard.version)))}`;
  if (missing.length === 0) return [`${paint("dim", plural(shards.length, "shard"))}${GAP}${version}`];
  const names = missing.map(({ index }) => index).join(", ");
  return [paint("yellow", cutTo(`${plural(shards.length, "shard")}${GAP}missing: ${names}`, width))];
}

/** Aligned columns, numbers to the right; the last column gets the remaining width. */
function columnsOf(rows: readonly (readonly string[])[], numeric: ReadonlySet<number>, width: number): string[] {
  const last = rows[0].length - 1;
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + GAP.length, 0);
  return rows.map((row) =>
    row
      .map((text, column) => {
        if (column === last) return width - before < LAST_COLUMN_MIN ? "" : cutTo(text, width - before);
        return numeric.has(column) ? text.padStart(widths[column]) : text.padEnd(widths[column]);
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Cuts off a line that is too long, without its colours. */
function fit(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return [...plain].length <= columns ? line : cutTo(plain, columns);
}
