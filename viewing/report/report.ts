import { join } from "node:path";
import { RUN_FILES, type Summary } from "../../server/record/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { count, duration, measure, percent } from "../../shared/format.js";
import { optimizerTitle } from "../../shared/optimizer/index.js";
import { epochsText, group, layerSummaries, taskDetails } from "../details/index.js";
import type { Happening } from "../happenings/index.js";
import { detailGroups, figure, folded, html, layersTable, table } from "../html.js";
import { reportDocument } from "./document.js";
import { chartsOf, type FilledChart } from "./report-data.js";
import { type RunFiles, readRunFiles } from "./run-files.js";

/** A run on one page. Everything that comes from the run is escaped for the place where it is put. */
export function renderReport(files: RunFiles): string {
  const { task, summary, history, layout } = files;
  const charts = chartsOf(history, { microBatchSize: task.microBatchSize, samplesTotal: task.samples });
  const main = charts.filter(({ definition }) => !definition.isDetail);
  const more = charts.filter(({ definition }) => definition.isDetail);
  const body = [
    `<header><h1>${html(task.name)}</h1><p>${html(subtitle(files))}</p></header>`,
    `<dl class="facts">${figures(files).map(figureCell).join("")}</dl>`,
    failure(summary),
    `<section class="charts">${main.map(chart).join("")}${charts.length === 0 ? '<p class="card">No step has been computed yet.</p>' : ""}</section>`,
    happeningsList(files.happenings),
    workersTable(summary),
    folded("Task and settings", detailGroups([...taskDetails(task, files.identity.facts), runGroup(files)])),
    folded("Layers", layersTable(layerSummaries(layout))),
    folded("More curves", more.length === 0 ? "" : `<section class="charts">${more.map(chart).join("")}</section>`),
  ];
  return reportDocument(task.name, body.join("\n"), { charts: charts.map(({ data }) => data) });
}

/** Writes `report.html` into the run directory and returns its path. */
export function writeReport(runFolder: string): string {
  const path = join(runFolder, RUN_FILES.report);
  writeFileDurably(path, renderReport(readRunFiles(runFolder)));
  return path;
}

const chart = ({ definition }: FilledChart): string => figure(definition);

/** What was trained, how and when, in one line. */
function subtitle({ task, identity: { facts }, summary, starts }: RunFiles): string {
  const { optimizer, learningRate, microBatchSize, microBatchesPerStep: kappa } = task;
  const model = facts && `${facts.modelKind} model, ${count(facts.parameters)} parameters`;
  const data = facts && `${count(facts.trainingSamples)} training samples`;
  const batch = typeof kappa === "number" ? `batch of ${count(kappa * microBatchSize)}` : "elastic batch";
  const rate = `learning rate ${learningRate}`;
  return [model, data, optimizerTitle(optimizer), rate, batch, dateText(summary?.finishedAt ?? starts?.lastAt)]
    .filter(Boolean)
    .join(" · ");
}

/** 27 November 2026, 00:12 UTC: for everybody who gets the report, wherever they are. */
export function dateText(iso: string | undefined): string | undefined {
  if (iso === undefined || Number.isNaN(Date.parse(iso))) return undefined;
  const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
  return `${format.format(new Date(iso)).replace(" at ", ", ")} UTC`;
}

interface Figure {
  readonly name: string;
  readonly value: string;
  /** Smaller, after the value. */
  readonly more?: string;
}

function figureCell({ name, value, more = "" }: Figure): string {
  return `<div><dt>${html(name)}</dt><dd><span class="value">${html(value)}</span><small>${html(more)}</small></dd></div>`;
}

function figures({ task, identity, evaluations, steps, samples, summary }: RunFiles): Figure[] {
  const list: Figure[] = [];
  if (evaluations !== undefined) {
    const { last, best } = evaluations;
    const place = best === last ? "the best" : `after ${count(best.samples)} samples`;
    if (last.accuracy !== null) {
      const more = best === last ? place : `best ${percent(best.accuracy ?? 0)} ${place}`;
      list.push({ name: "Test accuracy", value: percent(last.accuracy), more });
    }
    const isByLoss = last.accuracy === null && best !== last;
    list.push({
      name: "Test loss",
      value: measure(last.loss),
      more: isByLoss ? `best ${measure(best.loss)} ${place}` : "",
    });
  }
  const { trainingLoss } = summary ?? {};
  if (trainingLoss != null) {
    const more = trainingLoss.risen ? `above the first, ${measure(trainingLoss.first)}` : "";
    list.push({ name: "Training loss", value: measure(trainingLoss.last), more });
  }
  const epochs = epochsText(samples, identity.facts?.trainingSamples);
  if (epochs !== undefined) list.push({ name: "Epochs", value: epochs.replace(/ epochs?$/, "") });
  list.push({ name: "Samples", value: count(samples) });
  list.push({ name: "Steps", value: count(steps) });
  if (summary === undefined) list.push({ name: "State", value: "running", more: `of ${count(task.samples)} samples` });
  else {
    if (summary.failure != null) list.push({ name: "State", value: "failed" });
    const { samplesPerSecond, durationSeconds, workers } = summary;
    list.push({ name: "Time", value: duration(durationSeconds), more: `${measure(samplesPerSecond)} samples/s` });
    list.push({ name: "Workers", value: count(workers.length) });
  }
  return list;
}

function failure(summary: Summary | undefined): string {
  if (summary?.failure == null) return "";
  return `<p class="failure">The run has failed: ${html(summary.failure.reason)}</p>`;
}

function runGroup({ identity, summary, starts }: RunFiles) {
  const numerics = summary?.numerics ?? identity.numerics;
  return group("Run", [
    ["Run", identity.runId],
    ["Command", starts?.command],
    ["Isobatch", summary?.version ?? identity.version],
    ["Started", dateText(starts?.firstAt)],
    ["Resumed", starts !== undefined && starts.count > 1 ? dateText(starts.lastAt) : undefined],
    ["Ended", dateText(summary?.finishedAt)],
    [
      "Computed with",
      numerics == null ? undefined : `${numerics.backend} ${numerics.version} on ${numerics.architecture}`,
    ],
    ["Steps computed again", summary && count(summary.recomputedSteps)],
    ["State hash", summary?.stateHash],
    ["Reproducible", summary && reproducible(summary)],
  ]);
}

function reproducible({ bitExact }: Summary): string {
  return bitExact
    ? "yes: any number of workers of this kind gives the same state hash"
    : "no: workers of several kinds took part";
}

export function happeningsList(happenings: readonly Happening[]): string {
  if (happenings.length === 0) return "";
  const rows = [...happenings].reverse().map(({ at, text }) => {
    const time = at.slice(0, 19).replace("T", " ");
    return `<li><time datetime="${html(at)}">${html(time)}</time><span>${html(text)}</span></li>`;
  });
  return `<section class="card"><div class="heading"><h2 id="happenings-title">What happened</h2><p>Times are in UTC.</p></div><ol class="happenings" tabindex="0" aria-labelledby="happenings-title">${rows.join("")}</ol></section>`;
}

function workersTable(summary: Summary | undefined): string {
  if (summary === undefined || summary.workers.length === 0) return "";
  const columns = [
    { title: "Worker" },
    { title: "Host" },
    { title: "Device", isWide: true },
    { title: "Micro-batches", isNumber: true },
    { title: "Share", isNumber: true },
  ];
  const rows = summary.workers.map(({ id, host, device, microBatches, share }) => {
    const bar = `<span class="share"><span style="width:${(100 * share).toFixed(1)}%"></span></span>`;
    return [html(id), html(host), html(device), count(microBatches), `<span>${bar}${percent(share, 1)}</span>`];
  });
  return `<section class="card"><h2>Workers</h2><div class="scroll" tabindex="0" role="region" aria-label="All workers">${table(columns, rows)}</div></section>`;
}
