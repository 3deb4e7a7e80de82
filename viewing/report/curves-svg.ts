import type { Points } from "../charts/index.js";
import { downsample } from "./downsample.js";
import { chartsOf } from "./report-data.js";
import type { RunFiles } from "./run-files.js";

/**
 * A run's loss and accuracy as a still picture for a page of documentation: plain SVG, light and dark by the
 * reader's setting, small enough to keep in a repository.
 */
export function curvesSvg({ task, history }: Pick<RunFiles, "task" | "history">): string {
  const [width, height] = [880, 340];
  const left = { x: 56, y: 56, width: 396, height: 236 };
  const right = { x: 524, y: 56, width: 332, height: 236 };
  const charts = chartsOf(history, { microBatchSize: task.microBatchSize, samplesTotal: task.samples });
  const loss = charts.find(({ data }) => data.id === "loss")?.data;
  const curve = (id: string, label: string): Points => {
    const { x = [], y = [] } =
      charts.find(({ data }) => data.id === id)?.data.curves.find((each) => each.label === label) ?? {};
    return { x, y: y as readonly number[] };
  };
  const { points } = history;
  const means = points.filter((point) => point[4] !== null);
  const trainLoss = { x: means.map((point) => point[1]), y: means.map((point) => point[4] as number) };
  const [trainLossSmoothed, testLoss, testAccuracy] = [
    curve("loss", "train"),
    curve("loss", "test"),
    curve("accuracy", "test"),
  ];
  const samplesMax = Math.max(1, trainLoss.x.at(-1) ?? 0, testLoss.x.at(-1) ?? 0);
  const few = (all: Points) => downsample(all, 400);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Loss and accuracy of ${xml(task.name)}">
<style>
  .page { fill: #ffffff; } text { fill: #6d6d68; font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .title { fill: #1d1d1b; font-size: 15px; font-weight: 600; } .grid { stroke: #ecebe6; } path { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .train { stroke: #2f6bd8; } .each { stroke: #2f6bd8; stroke-width: 1; opacity: 0.3; } .test { stroke: #d4570b; }
  circle.test { fill: #d4570b; stroke: none; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #16181b; } text { fill: #9a9c9f; } .title { fill: #ececea; } .grid { stroke: #2b2e32; }
    .train, .each { stroke: #6fa5ff; } .test { stroke: #ff9a57; } circle.test { fill: #ff9a57; }
  }
</style>
<rect class="page" width="${width}" height="${height}" rx="12"/>
${panel(left, "Loss", samplesMax, axisOf([trainLoss, testLoss], loss?.logarithmic ?? false), [
  { look: "each", points: few(trainLoss), label: "" },
  { look: "train", points: few(trainLossSmoothed), label: "train" },
  { look: "test", points: few(testLoss), label: "test" },
])}
${panel(right, "Test accuracy, %", samplesMax, axisOf([testAccuracy], false), [
  { look: "test", points: few(testAccuracy), label: "" },
])}
</svg>
`;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Drawn {
  /** A class of the style sheet. */
  readonly look: "each" | "train" | "test";
  readonly points: Points;
  /** Empty: not in the key. */
  readonly label: string;
}

function panel(box: Box, title: string, xMax: number, axis: Axis, curves: readonly Drawn[]): string {
  const atX = (value: number) => (box.x + (box.width * value) / xMax).toFixed(1);
  const atY = (value: number) => (box.y + box.height * (1 - axis.at(value))).toFixed(1);
  const [bottom, end] = [box.y + box.height, box.x + box.width];
  const parts = [`<text class="title" x="${box.x}" y="${box.y - 24}">${xml(title)}</text>`];
  for (const value of axis.marks) {
    parts.push(
      `<line class="grid" x1="${box.x}" x2="${end}" y1="${atY(value)}" y2="${atY(value)}"/>`,
      `<text x="${box.x - 8}" y="${atY(value)}" dy="4" text-anchor="end">${value}</text>`,
    );
  }
  for (const value of niceSteps(0, xMax, 4)) {
    parts.push(`<text x="${atX(value)}" y="${bottom + 20}" text-anchor="middle">${samplesText(value)}</text>`);
  }
  parts.push(`<text x="${end}" y="${bottom + 38}" text-anchor="end">samples</text>`);
  let key = end;
  for (const { look, points, label } of [...curves].reverse()) {
    if (label === "" || points.x.length === 0) continue;
    parts.push(
      `<text x="${key}" y="${box.y - 24}" text-anchor="end">${label}</text>`,
      `<path class="${look}" d="M${key - 52} ${box.y - 28}h18"/>`,
    );
    key -= 66;
  }
  for (const { look, points } of curves) {
    if (points.x.length === 0) continue;
    const line = points.x.map((x, i) => `${i === 0 ? "M" : "L"}${atX(x)} ${atY(points.y[i])}`).join("");
    parts.push(`<path class="${look}" d="${line}"/>`);
    if (look === "test" && points.x.length <= 40) {
      for (const [i, x] of points.x.entries())
        parts.push(`<circle class="test" cx="${atX(x)}" cy="${atY(points.y[i])}" r="3"/>`);
    }
  }
  return parts.join("\n");
}

/** A y axis: the place of a value, 0 at the bottom and 1 at the top, and the values that are written next to it. */
interface Axis {
  readonly at: (value: number) => number;
  readonly marks: readonly number[];
}

function axisOf(curves: readonly Points[], logarithmic: boolean): Axis {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { y } of curves) for (const value of y) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) [low, high] = [0, 1];
  if (logarithmic && low > 0) {
    const [from, to] = [Math.log10(low) - 0.05, Math.log10(high) + 0.05];
    const powers = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i);
    const round = powers.flatMap((power) => [1, 2, 5].map((factor) => Number(`${factor}e${power}`)));
    const marks = round.filter((value) => Math.log10(value) >= from && Math.log10(value) <= to);
    return { at: (value) => (Math.log10(value) - from) / (to - from), marks };
  }
  const margin = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  const [from, to] = [low - margin, high + margin];
  return { at: (value) => (value - from) / (to - from), marks: niceSteps(from, to, 5) };
}

/** About `count` round values in [low, high]. */
function niceSteps(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const values: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) values.push(Number((k * step).toPrecision(10)));
  return values;
}

function samplesText(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1e3 ? `${value / 1e3} k` : String(value);
}

function xml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
