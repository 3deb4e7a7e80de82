/**
 * The whole experiment on one page: a file that has everything it needs and loads nothing. All text from a task is
 * escaped.
 */
import type { Task } from "../../../tasks/index.js";
import type { Cell, InvarianceSummary, Over } from "../summarize.js";
import { drawFigure, type Figure, numberText, xml } from "./drawing.js";
import { figuresOf, type Shown } from "./figures.js";

export interface ExperimentOutcome extends Shown {
  readonly name: string;
  readonly task: Task;
  readonly numerics: object;
}

export interface Rendered {
  readonly html: string;
  readonly figures: readonly { readonly name: string; readonly svg: string }[];
}

export function renderInvariance(outcome: ExperimentOutcome): Rendered {
  const figures = figuresOf(outcome).map((figure) => ({ ...figure, svg: drawFigure(figure) }));
  const { name, task, summary } = outcome;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:">
<link rel="icon" href="data:,">
<title>Invariance: ${xml(name)} · Isobatch</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Does the batch size change the training? ${xml(task.name)}</h1>
<p>${xml(protocolText(outcome))}</p>
<h2>At the largest κ</h2>
${largestTable(outcome)}
<p>The gap is the mean over seeds of max over time of |L<sub>κ</sub> − L<sub>1</sub>| / L<sub>1</sub>: the loss of a run with κ micro-batches per step
against that of the run with one, on the same evaluation samples, after the same training samples.
${repeatText(summary)} Another data order is how far two runs part that nobody would call different.</p>
<h2>How many times the smallest gap</h2>
${ratioTable(outcome)}
${figures.map(figureHtml).join("\n")}
<h2>All figures</h2>
${cellsTable(summary)}
<h2>What it does not say</h2>
<ul>
<li>Invariance is not a better loss: it says that the batch size does not change the training, not that the training is good.</li>
<li>It holds where the weights hardly move within a step. At high learning rates every rule parts from κ = 1, and the invariant ones no less.</li>
<li>It is invariance in κ at a fixed micro-batch size b: the averages of squares depend on b.</li>
<li>Where a batch is mostly noise (far below the noise scale) the square-root rule is right too, and the arms tie.</li>
<li>The predicted speed takes one r = μ²/σ² for all coordinates; the real one differs from coordinate to coordinate.</li>
</ul>
<footer>${xml(`${summary.runs} runs, ${Math.round(summary.seconds)} s of computing. ${Object.values(outcome.numerics).join(", ")}.`)}</footer>
</main>
<script>${SAVE_SCRIPT}</script>
</body>
</html>
`;
  return { html, figures: figures.map(({ name: figure, svg }) => ({ name: figure, svg })) };
}

function protocolText({ protocol, task }: ExperimentOutcome): string {
  const { arms, kappas, learningRates, seeds, microBatches, evaluateEvery } = protocol;
  const decay = task.weightDecay === 0 ? "" : `, weight decay ${task.weightDecay}`;
  const clip = task.clipNorm === null ? "" : `, each micro-batch's gradient clipped at ${task.clipNorm}`;
  return (
    `${microBatches.toLocaleString("en")} micro-batches of ${task.microBatchSize} samples a run, evaluated after every ` +
    `${evaluateEvery}; ${arms.length} arms at κ = ${kappas.join(", ")}, η = ${learningRates.map(numberText).join(", ")}, seeds ` +
    `${seeds.join(", ")}; β = (${task.beta1}, ${task.beta2}), ε = ${task.epsilon}${decay}${clip}, ` +
    `${task.schedule.kind} learning rate. Every run of a seed starts from the same weights and sees the same micro-batches in the same ` +
    "order; only κ and the rule differ, and nothing is tuned again."
  );
}

function repeatText({ floors }: InvarianceSummary): string {
  const repeats = floors.filter(({ repeat }) => repeat !== null);
  if (repeats.length === 0) return "";
  return repeats.every(({ repeat, repeatSameBits }) => repeat === 0 && repeatSameBits === true)
    ? "Trained twice, κ = 1 leaves the same bits: a gap of exactly 0."
    : "Trained twice, κ = 1 did not leave the same bits: the gaps below are not to be trusted.";
}

function largestTable({ protocol, summary }: ExperimentOutcome): string {
  const largest = protocol.kappas[protocol.kappas.length - 1];
  const rates = [...protocol.learningRates].sort((a, b) => a - b);
  const floorOf = (rate: number) => summary.floors.find(({ learningRate }) => learningRate === rate);
  const cellOf = (arm: string, rate: number): Cell | undefined =>
    summary.cells.find((cell) => cell.arm === arm && cell.learningRate === rate && cell.kappa === largest);
  return table(
    [`gap at κ = ${largest}`, ...rates.map((rate) => `η = ${numberText(rate)}`)],
    [
      ...protocol.arms.map(({ name }) => [name, ...rates.map((rate) => gapText(cellOf(name, rate)))]),
      ["κ = 1, another data order", ...rates.map((rate) => overText(floorOf(rate)?.order ?? null))],
      ["κ = 1, again", ...rates.map((rate) => numeral(floorOf(rate)?.repeat ?? null))],
    ],
  );
}

/** Each gap at the largest κ over the smallest of any arm at the same learning rate. */
function ratioTable({ protocol, summary }: ExperimentOutcome): string {
  const largest = protocol.kappas[protocol.kappas.length - 1];
  const rates = [...protocol.learningRates].sort((a, b) => a - b);
  const gapOf = (arm: string, rate: number): number | undefined =>
    summary.cells.find((cell) => cell.arm === arm && cell.learningRate === rate && cell.kappa === largest)?.gap?.mean;
  const ratio = (value: number | undefined, rate: number): string => {
    const gaps = protocol.arms.map(({ name }) => gapOf(name, rate)).filter((gap) => gap !== undefined && gap > 0);
    if (value === undefined || gaps.length === 0) return "–";
    return `${Number((value / Math.min(...(gaps as number[]))).toPrecision(3)).toLocaleString("en")} ×`;
  };
  const floorOf = (rate: number) => summary.floors.find(({ learningRate }) => learningRate === rate)?.order?.mean;
  return table(
    [`κ = ${largest}`, ...rates.map((rate) => `η = ${numberText(rate)}`)],
    [
      ...protocol.arms.map(({ name }) => [name, ...rates.map((rate) => ratio(gapOf(name, rate), rate))]),
      ["κ = 1, another data order", ...rates.map((rate) => ratio(floorOf(rate), rate))],
    ],
  );
}

function gapText(cell: Cell | undefined): string {
  if (cell === undefined) return "–";
  return cell.diverged > 0 ? `diverged (${cell.diverged} of ${cell.seeds})` : overText(cell.gap);
}

/** The mean and, as digits before the same power of ten, the range: 2.33e-4 (1.99 – 2.66). */
function overText(over: Over | null): string {
  if (over === null) return "–";
  const { mean, least, most } = over;
  if (least === most) return numeral(mean);
  const unit = isSmall(mean) ? 10 ** Math.floor(Math.log10(mean)) : 1;
  return `${numeral(mean)} (${(least / unit).toPrecision(3)} – ${(most / unit).toPrecision(3)})`;
}

function cellsTable({ cells }: InvarianceSummary): string {
  const signed = (value: number | null): string =>
    value !== null && value > 0 ? `+${numeral(value)}` : numeral(value);
  const speed = (value: number | null): string => (value === null ? "–" : value.toFixed(3));
  return table(
    [
      "η",
      "arm",
      "κ",
      "gap",
      "with its sign",
      "absolute",
      "at the end",
      "end loss",
      "speed",
      "predicted",
      "noise scale",
      "r",
    ],
    cells.map((cell) => [
      ...[numberText(cell.learningRate), cell.arm, String(cell.kappa), gapText(cell), signed(cell.signedGap)],
      ...[numeral(cell.absoluteGap), signed(cell.endGap), cell.endLoss === null ? "–" : cell.endLoss.toFixed(4)],
      ...[speed(cell.measuredSpeed), speed(cell.predictedSpeed)],
      ...[cell.noiseScale === null ? "not resolved" : Math.round(cell.noiseScale).toLocaleString("en")],
      numeral(cell.signalToNoise),
    ]),
  );
}

const isSmall = (value: number): boolean => Math.abs(value) < 0.01;

function numeral(value: number | null): string {
  if (value === null) return "–";
  if (value === 0) return "0";
  return isSmall(value) ? value.toExponential(2) : value.toPrecision(3);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${xml(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="table"><table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells, "td")).join("")}</tbody></table></div>`;
}

function figureHtml({ name, note, svg }: Figure & { svg: string }): string {
  return `<figure data-name="${xml(name)}">${svg}<figcaption>${xml(note)} <button type="button">Save as PNG</button></figcaption></figure>`;
}

/** A browser draws an SVG better than any library, so PNGs are made where the page is read. */
const SAVE_SCRIPT = `
for (const figure of document.querySelectorAll("figure")) {
  figure.querySelector("button").addEventListener("click", () => {
    const svg = figure.querySelector("svg").cloneNode(true);
    const { width, height } = figure.querySelector("svg").viewBox.baseVal;
    svg.setAttribute("width", 2 * width);
    svg.setAttribute("height", 2 * height);
    const image = new Image();
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
      canvas.getContext("2d").drawImage(image, 0, 0);
      Object.assign(document.createElement("a"), { href: canvas.toDataURL("image/png"), download: figure.dataset.name + ".png" }).click();
    };
    image.src = "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(svg));
  });
}
`;

const STYLE = `
:root { color-scheme: light dark; --page: #f6f6f3; --card: #ffffff; --ink: #1d1d1b; --muted: #6d6d68; --line: #e4e3de; }
@media (prefers-color-scheme: dark) { :root { --page: #131416; --card: #1c1e21; --ink: #ececea; --muted: #9a9c9f; --line: #2d3034; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 32px 0 8px; font-size: 18px; }
p, li { color: var(--muted); }
figure { margin: 20px 0; padding: 8px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
figure svg { display: block; width: 100%; height: auto; }
@media (max-width: 700px) { figure { overflow-x: auto; } figure svg { width: 680px; } }
figcaption { padding: 4px 12px 8px; color: var(--muted); font-size: 13.5px; }
button { font: inherit; font-size: 12.5px; padding: 1px 10px; color: var(--muted); background: none; border: 1px solid var(--line); border-radius: 999px; cursor: pointer; }
button:hover, button:focus-visible { color: var(--ink); border-color: var(--muted); }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
table { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 500; }
tbody tr:last-child td { border-bottom: 0; }
footer { margin-top: 24px; color: var(--muted); font-size: 13px; }
`;
