import type { Assets } from "./assets.js";
import type { DashboardSource } from "./source.js";
import { CHARTS } from "./view/charts.js";

/**
 * The two pages as they are before any script has run: the words and the places that the script fills. Whatever comes
 * from the run is escaped for the place where it stands.
 */
type Run = Pick<DashboardSource, "task" | "runId" | "version">;

export function runPage(run: Run, assets: Assets, mayAct: boolean): string {
  const { task, runId } = run;
  const { root } = assets;
  const facts = [
    task.optimizer,
    `learning rate ${task.learningRate}`,
    `${task.microBatchSize} samples a micro-batch`,
    ...(task.precision === "float32" ? [] : [`${task.precision} products`]),
    `run ${runId.slice(0, 8)}`,
  ];
  const acting = `<button type="button" id="checkpoint">Checkpoint</button><button type="button" id="stop" class="danger">Stop…</button><form method="post" action="/logout"><button class="quiet">Log out</button></form>`;
  return document(
    run,
    assets,
    `<link rel="stylesheet" href="${root}/uplot.css">${assets.scripts.map((name) => `<link rel="modulepreload" href="${root}/${name}">`).join("")}<script src="${root}/uplot.js" defer></script><script type="module" src="${root}/viewing/dashboard/page/main.js"></script>`,
    `<a class="skip" href="#main">Skip to the run</a>
<header class="top">
<div class="titles"><h1>${html(task.name)}</h1><p>${html(facts.join(" · "))}</p></div>
<p class="state" id="state" role="status" data-tone="wait"><span class="dot" aria-hidden="true"></span><span id="state-text">Connecting</span></p>
<nav class="actions" aria-label="What may be done">${mayAct ? acting : '<a class="button" href="/login">Log in to act</a>'}</nav>
</header>
<main id="main" tabindex="-1">
<noscript><p class="card">This page draws a running training and needs JavaScript for it.</p></noscript>
<section aria-label="Progress" class="progress"><progress id="progress" max="1" value="0" aria-label="Samples trained"></progress><p id="progress-text">&nbsp;</p></section>
<section aria-label="Figures"><dl class="facts" id="facts"></dl><p class="advice" id="advice"></p></section>
<section class="charts" aria-label="Curves">${CHARTS.map(figure).join("")}</section>
<section class="card" aria-labelledby="workers-title"><div class="heading"><h2 id="workers-title">Workers</h2><p id="workers-summary"></p></div><div class="scroll" id="workers-scroll" tabindex="0" role="region" aria-label="All workers"><table class="rows" id="workers"><thead><tr><th scope="col">Worker</th><th scope="col">Backend</th><th scope="col">Device</th><th scope="col" class="number">Threads</th><th scope="col">State</th><th scope="col" class="number">Micro-batches/s</th><th scope="col" class="number">Done</th><th scope="col" class="number">Last seen</th>${mayAct ? '<th scope="col"><span class="unseen">Action</span></th>' : ""}</tr></thead><tbody></tbody></table></div><p class="none" id="no-workers" hidden>None yet.</p></section>
<div class="pair">
<section class="card" aria-labelledby="shards-title"><h2 id="shards-title">Shards</h2><table class="rows" id="shards"><thead><tr><th scope="col">Shard</th><th scope="col">State</th><th scope="col" class="number">Version</th><th scope="col" class="number">Chunks</th><th scope="col" class="number">Received</th><th scope="col" class="number">Sent</th></tr></thead><tbody></tbody></table></section>
<section class="card" aria-labelledby="checkpoints-title"><h2 id="checkpoints-title">Checkpoints</h2><p class="none" id="checkpoint-age"></p><ul class="chips" id="checkpoints"></ul></section>
</div>
<section class="card" aria-labelledby="join-title"><h2 id="join-title">Add a worker</h2>${
      mayAct
        ? '<p>Run this on any machine that has Isobatch. It holds the run’s secret: whoever has it may compute for this run.</p><div class="command"><code id="join-command" tabindex="0" aria-label="Join command"></code><button type="button" id="copy">Copy</button></div>'
        : '<p>The command for it holds the run’s secret: <a href="/login">log in</a> to see it.</p>'
    }</section>
<section class="card" aria-labelledby="happenings-title"><h2 id="happenings-title">What happened</h2><ol class="happenings" id="happenings" tabindex="0" aria-labelledby="happenings-title"></ol></section>
<p id="notice" class="notice" role="status" aria-live="polite"></p>
</main>
<footer><p>Drag across a chart to look closer, double-click to see all of it. Isobatch ${html(run.version)}</p></footer>
<dialog id="confirm" aria-labelledby="confirm-title"><form method="dialog"><h2 id="confirm-title"></h2><p id="confirm-text"></p><div class="choices"><button value="no" class="quiet">Cancel</button><button value="yes" id="confirm-yes" class="danger"></button></div></form></dialog>`,
  );
}

export function loginPage(run: Run, assets: Assets, complaint?: string): string {
  const described = complaint === undefined ? "" : ' aria-invalid="true" aria-describedby="complaint"';
  return document(
    run,
    assets,
    "",
    `<main class="login"><form method="post" action="/login" class="card">
<h1>Log in</h1><p>to the run <strong>${html(run.task.name)}</strong>, with one of its tokens. The one that may act lies in the run’s folder, in the file <code>security/admin-token</code>.</p>
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

function figure({ id, title, note, canBeLogarithmic }: (typeof CHARTS)[number]): string {
  const axis = canBeLogarithmic
    ? `<button type="button" class="axis" aria-label="${html(title)}: log axis" aria-pressed="false">log</button>`
    : "";
  return `<figure class="card" id="${id}" aria-labelledby="${id}-title"><figcaption><h2 id="${id}-title">${html(title)}</h2>${axis}<small>${html(note)}</small></figcaption><div class="plot" role="img" aria-label="${html(title)}: no data yet"></div></figure>`;
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
