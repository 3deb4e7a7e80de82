/** A run at one moment, and how it is shown on a terminal and in a pipe. Pure. */
import { inspect } from "node:util";
import { epochOf } from "./facts.js";
import { count, duration, measure, percent, plural } from "./format.js";

export interface RunView {
  readonly task: string;
  readonly samples: number;
  readonly samplesTotal: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
  /** Samples of the training part: an epoch. */
  readonly trainingSamples: number;
  /** The training loss, smoothed; undefined before the first step. */
  readonly loss: number | undefined;
  /** The newest; accuracy is null where it has no meaning. Undefined: none of trained weights. */
  readonly evaluation: { readonly loss: number; readonly accuracy: number | null } | undefined;
  /** κ */
  readonly microBatchesPerStep: number;
  /** b */
  readonly microBatchSize: number;
  /** η' of the newest step; NaN before the first. */
  readonly learningRate: number;
  /** B_simple, in samples; NaN while it is not resolved. */
  readonly noiseScale: number;
  readonly workers: number;
  /** What the run does other than stepping, if anything: "evaluating". */
  readonly activity: string | undefined;
}

/** Colours a text, or returns it unchanged. */
export type Paint = (style: "bold" | "dim" | "green" | "yellow" | "cyan", text: string) => string;

/** Node's `styleText` is not used: some versions look at standard output and the environment themselves. */
export function createPaint(color: boolean): Paint {
  if (!color) return (_, text) => text;
  return (style, text) => {
    const [begin, end] = inspect.colors[style]!;
    return `\x1b[${begin}m${text}\x1b[${end}m`;
  };
}

const GAP = "  ";
const BAR_MIN = 10;
const BAR_MAX = 40;
/** What a narrow terminal does without, in this order. */
const LEAST_IMPORTANT = ["η′", "noise scale", "batch", "κ", "epoch", "accuracy", "test loss"];

/** The two lines that are redrawn on a terminal of `columns`. */
export function terminalLines(view: RunView, columns: number, paint: Paint): [string, string] {
  const done = view.samplesTotal === 0 ? 0 : Math.min(1, view.samples / view.samplesTotal);
  const ending = [
    percent(done, 0),
    `${count(view.samples)} of ${count(view.samplesTotal)} samples`,
    `${measure(view.samplesPerSecond)}/s`,
    ...(isTimed(view) ? [`${duration(view.secondsLeft)} left`] : []),
  ].join(GAP);
  const room = columns - view.task.length - ending.length - 2 * GAP.length - 1;
  const width = Math.max(BAR_MIN, Math.min(BAR_MAX, room));
  const filled = Math.floor(done * width);
  const bar = paint("green", "█".repeat(filled)) + paint("dim", "░".repeat(width - filled));
  const workers = plural(view.workers, "worker");
  const epoch = epochOf(view.samples, view.samplesTotal, view.trainingSamples);
  let figures: [label: string, value: string][] = [["epoch", epoch], ...figuresOf(view)];
  const lineWidth = (): number =>
    [...figures.map(([label, value]) => `${label} ${value}`), workers, ...(view.activity ? [view.activity] : [])].join(
      GAP,
    ).length;
  for (const least of LEAST_IMPORTANT) {
    if (lineWidth() < columns) break;
    figures = figures.filter(([label]) => label !== least);
  }
  const painted = figures.map(([label, value]) => `${paint("dim", label)} ${paint("bold", value)}`);
  const activity = view.activity === undefined ? [] : [paint("yellow", view.activity)];
  return [[paint("bold", view.task), bar, ending].join(GAP), [...painted, workers, ...activity].join(GAP)];
}

/** One line for a log. */
export function plainLine(view: RunView): string {
  const done = view.samplesTotal === 0 ? 0 : view.samples / view.samplesTotal;
  return [
    `${percent(done, 0)}, ${count(view.samples)} of ${count(view.samplesTotal)} samples`,
    `epoch ${epochOf(view.samples, view.samplesTotal, view.trainingSamples)}`,
    `${measure(view.samplesPerSecond)} samples/s`,
    ...figuresOf(view).map(([label, value]) => `${label} ${value}`),
    plural(view.workers, "worker"),
    ...(view.activity === undefined ? [] : [view.activity]),
    ...(isTimed(view) ? [`${duration(view.secondsLeft)} left`] : []),
  ].join(", ");
}

function isTimed({ samplesPerSecond, secondsLeft }: RunView): boolean {
  return samplesPerSecond > 0 && Number.isFinite(secondsLeft) && secondsLeft >= 0;
}

function figuresOf({ loss, evaluation, ...view }: RunView): [label: string, value: string][] {
  const figures: [string, string][] = [];
  if (loss !== undefined) figures.push(["loss", measure(loss)]);
  if (evaluation !== undefined) {
    figures.push(["test loss", measure(evaluation.loss)]);
    if (evaluation.accuracy !== null) figures.push(["accuracy", percent(evaluation.accuracy)]);
  }
  const { microBatchesPerStep, microBatchSize, noiseScale, learningRate } = view;
  figures.push(["κ", count(microBatchesPerStep)], ["batch", count(microBatchesPerStep * microBatchSize)]);
  if (loss === undefined) return figures;
  figures.push(["noise scale", Number.isFinite(noiseScale) ? measure(noiseScale) : "not resolved"]);
  figures.push(["η′", measure(learningRate)]);
  return figures;
}

/** When a log gets its next line: at each tenth of the run, and from time to time in between. */
export interface PlainPace {
  /** @param share the part of the run that is done, in [0, 1] */
  isDue(share: number, nowMs: number): boolean;
}

const PACE_MS = 10_000;
/** Long runs get fewer lines: after hours, one every few minutes is enough. */
const PACE_SHARE = 0.02;

export function createPlainPace(startedMs: number): PlainPace {
  let tenth = -1;
  let lastMs = startedMs;
  return {
    isDue(share, nowMs) {
      const due =
        Math.floor(share * 10) > tenth || nowMs - lastMs >= Math.max(PACE_MS, PACE_SHARE * (nowMs - startedMs));
      if (due) [tenth, lastMs] = [Math.floor(share * 10), nowMs];
      return due;
    },
  };
}
