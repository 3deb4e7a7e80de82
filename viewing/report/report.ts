import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { RUN_FILES, type Summary } from "../../server/record/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { optimizerTitle } from "../../shared/optimizer/index.js";
import { kappaRuleText } from "../../shared/steps/index.js";
import { type Chart, chartsOf } from "./charts.js";
import type { ReportData } from "./report-data.js";
import { type RunFiles, readRunFiles } from "./run-files.js";
import { REPORT_STYLE } from "./style.js";

/**
 * A run on one page: a file that holds everything it needs, to be opened, kept or sent as it is. The words are in
 * the HTML; the curves are JSON that the page's script draws with uPlot. A policy in the page forbids it to load
 * anything. Whatever comes from the run is escaped for the place where it stands.
 */
export function renderReport(files: RunFiles): string {
  const charts = chartsOf(files.curves);
  const data: ReportData = {
    charts: charts.map(({ id, unit, logarithmic, curves }) => ({ id, unit, logarithmic, curves })),
  };
  const { script, style } = plotter();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${html(files.task.name)} · Isobatch</title>
<style>${style}${REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${html(files.task.name)}</h1>
<p>${html(subtitle(files))}</p>
</header>
<dl class="facts">${facts(files)
    .map(([name, value]) => `<div><dt>${html(name)}</dt><dd>${html(value)}</dd></div>`)
    .join("")}</dl>
${files.summary?.failure == null ? "" : `<p class="failure">The run has failed: ${html(files.summary.failure.reason)}</p>`}
${files.summary === undefined ? "" : `<p class="hash">State hash <code>${html(files.summary.stateHash)}</code> · ${bits(files.summary)}</p>`}
<section class="charts">${charts.map(figure).join("")}${charts.length === 0 ? '<p class="card wide">No step has been taken yet.</p>' : ""}</section>
${workersTable(files)}
${eventsTable(files)}
<footer>Drag across a chart to look closer, double-click to see all of it.</footer>
</main>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
<script type="module">${pageScript()}</script>
</body>
</html>
`;
}

/** Writes `report.html` into the run directory and returns its path. */
export function writeReport(runFolder: string): string {
  const path = join(runFolder, RUN_FILES.report);
  writeFileDurably(path, renderReport(readRunFiles(runFolder)));
  return path;
}

function subtitle({ task, summary }: RunFiles): string {
  const { optimizer, microBatchSize, microBatchesPerStep, learningRate } = task;
  const numerics = summary?.numerics == null ? [] : [`${summary.numerics.backend} on ${summary.numerics.architecture}`];
  // Absent in a run that was started before tasks had the field.
  const precision = task.precision === undefined || task.precision === "float32" ? [] : [`${task.precision} products`];
  return [
    optimizerTitle(optimizer),
    `learning rate ${learningRate}`,
    `${microBatchSize} samples a micro-batch`,
    typeof microBatchesPerStep === "number" ? `κ = ${microBatchesPerStep}` : `κ: ${kappaRuleText(microBatchesPerStep)}`,
    ...precision,
    ...numerics,
  ].join(" · ");
}

function facts({ evaluation, steps, samples, summary }: RunFiles): [name: string, value: string][] {
  const list: [string, string][] = [];
  if (evaluation?.accuracy != null) list.push(["Test accuracy", `${(100 * evaluation.accuracy).toFixed(2)} %`]);
  if (evaluation !== undefined) list.push(["Test loss", number(evaluation.loss)]);
  list.push(["Samples", samples.toLocaleString("en")], ["Steps", steps.toLocaleString("en")]);
  if (summary === undefined) return [...list, ["State", "running"]];
  if (summary.failure != null) list.push(["State", "failed"]);
  list.push(["Samples/s", Math.round(summary.samplesPerSecond).toLocaleString("en")]);
  const { trainingLoss } = summary;
  if (trainingLoss?.risen)
    list.push(["Training loss", `${number(trainingLoss.last)}, above the first, ${number(trainingLoss.first)}`]);
  list.push(["Time", duration(summary.durationSeconds)], ["Workers", String(summary.workers.length)]);
  list.push(["Redone steps", summary.recomputedSteps.toLocaleString("en")]);
  return list;
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function bits({ bitExact }: Summary): string {
  return bitExact
    ? "the same on any number of workers of this kind"
    : "not reproducible: workers of several kinds took part";
}

function figure({ id, title, note, wide }: Chart): string {
  const axis = id === "loss" ? '<button type="button" title="Change the loss axis"></button>' : "";
  return `<figure class="card${wide ? " wide" : ""}" id="${id}"><figcaption><h2>${html(title)}</h2><small>${html(note)}</small>${axis}</figcaption><div class="plot"></div></figure>`;
}

function workersTable({ summary }: RunFiles): string {
  if (summary === undefined || summary.workers.length === 0) return "";
  const rows = summary.workers.map(({ id, host, device, microBatches, share }) => {
    const percent = (100 * share).toFixed(1);
    return `<tr><td>${html(id)}</td><td>${html(host)}</td><td>${html(device)}</td><td class="number">${microBatches.toLocaleString("en")}</td><td><span class="share" style="width:${(120 * share).toFixed(0)}px"></span>${percent} %</td></tr>`;
  });
  return `<section class="card table"><h2>Workers</h2><table class="rows"><thead><tr><th>Worker</th><th>Host</th><th>Device</th><th class="number">Micro-batches</th><th>Share</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
}

function eventsTable({ events }: RunFiles): string {
  if (events.length === 0) return "";
  const rows = events.map((line) => {
    const { event, at, ...rest } = line as { event: string; at: string; type?: string };
    const details = Object.entries(rest).flatMap(([key, value]) => (key === "type" ? [] : `${key} ${String(value)}`));
    return `<tr><td>${html(at)}</td><td>${html(event)}</td><td>${html(details.join(", "))}</td></tr>`;
  });
  return `<details class="card table"><summary><h2 style="display:inline">Events</h2></summary><table class="rows"><tbody>${rows.join("")}</tbody></table></details>`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${seconds.toFixed(1)} s`;
}

/** uPlot's script and style from its package, which the published package depends on too. */
function plotter(): { script: string; style: string } {
  const require = createRequire(import.meta.url);
  const read = (file: string) => readFileSync(require.resolve(`uplot/dist/${file}`), "utf8");
  return { script: read("uPlot.iife.min.js"), style: read("uPlot.min.css") };
}

function pageScript(): string {
  return readFileSync(new URL("./page/draw.js", import.meta.url), "utf8");
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON that can't end the script element it stands in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
