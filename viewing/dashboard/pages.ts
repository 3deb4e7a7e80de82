import { count } from "../../shared/format.js";
import { CHARTS } from "../charts/index.js";
import { group, layerSummaries, taskDetails } from "../details/index.js";
import { type Column, classOf, detailGroups, figure, folded, html, layersTable } from "../html.js";
import type { Assets } from "./assets.js";
import type { DashboardSource } from "./source.js";

/**
 * The two pages as they are before any script has run: the words and the places that the script fills. Everything that
 * comes from the run is escaped for the place where it is put.
 */
type Run = Pick<DashboardSource, "task" | "facts" | "layout" | "command" | "runId" | "version">;

const WORKER_COLUMNS: readonly Column[] = [
  { title: "Worker" },
  { title: "Backend" },
  { title: "Device", isWide: true },
  { title: "Threads", isNumber: true },
  { title: "State" },
  { title: "Micro-batches/s", isNumber: true },
  { title: "Done", isNumber: true },
  { title: "Last seen", isNumber: true },
];
const SHARD_COLUMNS: readonly Column[] = [
  { title: "Shard" },
  { title: "State" },
  { title: "Version", isNumber: true },
  { title: "Chunks", isNumber: true },
  { title: "Received", isNumber: true },
  { title: "Sent", isNumber: true },
];

export function runPage(run: Run, assets: Assets, mayAct: boolean): string {
  const { root, scripts } = assets;
  const preloads = scripts.map((name) => `<link rel="modulepreload" href="${root}/${name}">`).join("");
  const head = `<link rel="stylesheet" href="${root}/uplot.css">${preloads}<script src="${root}/uplot.js" defer></script><script type="module" src="${root}/viewing/page/dashboard/main.js"></script>`;
  return document(run, assets, head, `${topOf(run, mayAct)}${mainOf(run, mayAct)}${footerOf(run)}${CONFIRM}`);
}

function topOf({ task, facts }: Run, mayAct: boolean): string {
  const size = `${facts.modelKind} model, ${count(facts.parameters)} parameters · ${count(facts.trainingSamples)} training samples`;
  const actions = mayAct
    ? '<button type="button" id="checkpoint">Checkpoint</button><button type="button" id="stop" class="danger">Stop…</button><form method="post" action="/logout"><button class="quiet">Log out</button></form>'
    : '<a class="button" href="/login">Log in</a>';
  return `<a class="skip" href="#main">Skip to the run</a>
<header class="top">
<div class="titles"><h1>${html(task.name)}</h1><p>${html(size)}</p></div>
<p class="state" id="state" role="status" data-tone="wait"><span class="dot" aria-hidden="true"></span><span id="state-text">Connecting</span></p>
<nav class="actions" aria-label="Actions">${actions}</nav>
</header>
`;
}

function mainOf(run: Run, mayAct: boolean): string {
  const isClassified = run.facts.classes !== undefined;
  const main = CHARTS.filter(({ id, isDetail }) => !isDetail && (id !== "accuracy" || isClassified)).map(figure);
  const more = CHARTS.filter(({ isDetail }) => isDetail).map(figure);
  return `<main id="main" tabindex="-1">
<noscript><p class="card">This page needs JavaScript to show the run as it trains.</p></noscript>
<section aria-label="Progress" class="progress"><progress id="progress" max="1" value="0" aria-label="Samples trained"></progress><p id="progress-text">&nbsp;</p></section>
<section aria-label="Figures"><dl class="facts" id="facts"></dl><p class="advice" id="advice"></p></section>
<section class="charts" aria-label="Curves">${main.join("")}</section>
<section class="card" aria-labelledby="happenings-title"><h2 id="happenings-title">What happened</h2><ol class="happenings" id="happenings" tabindex="0" aria-labelledby="happenings-title"></ol></section>
<section class="card" aria-labelledby="workers-title"><div class="heading"><h2 id="workers-title">Workers</h2><p id="workers-summary"></p></div><div class="scroll" id="workers-scroll" tabindex="0" role="region" aria-label="All workers">${emptyTable("workers", WORKER_COLUMNS, mayAct)}</div><p class="none" id="no-workers" hidden>None yet.</p></section>
<section class="card" aria-labelledby="join-title"><h2 id="join-title">Add a worker</h2>${mayAct ? JOIN : LOG_IN_TO_JOIN}</section>
<div class="pair">
<section class="card" aria-labelledby="checkpoints-title"><h2 id="checkpoints-title">Checkpoints</h2><p class="none" id="checkpoint-age"></p><ul class="chips" id="checkpoints"></ul></section>
<section class="card" aria-labelledby="shards-title"><h2 id="shards-title">Shards</h2>${emptyTable("shards", SHARD_COLUMNS, false)}</section>
</div>
${folded("Task and settings", detailGroups(detailsOf(run)))}
${folded("Layers", layersTable(layerSummaries(run.layout)))}
${folded("More curves", `<section class="charts" aria-label="More curves">${more.join("")}</section>`)}
<p id="notice" class="notice" role="status" aria-live="polite"></p>
</main>
`;
}

function detailsOf({ task, facts, runId, version, command }: Run) {
  const rows = [
    ["Run", runId],
    ["Isobatch", version],
    ["Command", command],
  ] as const;
  return [...taskDetails(task, facts), group("Run", rows)];
}

function footerOf({ version }: Run): string {
  return `<footer><p>All curves are over the training samples seen. Drag across a chart to zoom in, double-click to zoom out. Isobatch ${html(version)}</p></footer>\n`;
}

const JOIN =
  '<p>Run this on any machine that has Isobatch. It contains the run’s secret: anyone who has it may compute for this run.</p><div class="command"><code id="join-command" tabindex="0" aria-label="Join command"></code><button type="button" id="copy">Copy</button></div>';
const LOG_IN_TO_JOIN = '<p>The command contains the run’s secret: <a href="/login">log in</a> to see it.</p>';
const CONFIRM =
  '<dialog id="confirm" aria-labelledby="confirm-title"><form method="dialog"><h2 id="confirm-title"></h2><p id="confirm-text"></p><div class="choices"><button value="no" class="quiet">Cancel</button><button value="yes" id="confirm-yes" class="danger"></button></div></form></dialog>';

/** A table that the script fills. */
function emptyTable(id: string, columns: readonly Column[], hasActions: boolean): string {
  const heads = columns.map((column) => `<th scope="col"${classOf(column)}>${html(column.title)}</th>`);
  const action = hasActions ? '<th scope="col"><span class="unseen">Action</span></th>' : "";
  return `<table class="rows" id="${id}"><thead><tr>${heads.join("")}${action}</tr></thead><tbody></tbody></table>`;
}

export function loginPage(run: Run, assets: Assets, complaint?: string): string {
  const described = complaint === undefined ? "" : ' aria-invalid="true" aria-describedby="complaint"';
  return document(
    run,
    assets,
    "",
    `<main class="login"><form method="post" action="/login" class="card">
<h1>Log in</h1><p>Use one of the tokens of the run <strong>${html(run.task.name)}</strong>. The token that may act on it is in the run’s folder, in the file <code>security/admin-token</code>.</p>
<input type="text" name="username" value="isobatch" autocomplete="username" hidden><label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required autofocus spellcheck="false"${described}>
${complaint === undefined ? "" : `<p class="complaint" id="complaint" role="alert">${html(complaint)}</p>`}
<button>Log in</button></form></main>`,
  );
}

function document(run: Run, { root }: Assets, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${html(run.task.name)} · Isobatch</title>
<link rel="icon" href="${root}/icon.svg" type="image/svg+xml">
${head}
<link rel="stylesheet" href="${root}/style.css">
</head>
<body>
${body}
</body>
</html>
`;
}
