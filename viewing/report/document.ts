import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { html } from "../html.js";
import { REPORT_STYLE } from "../style/index.js";
import type { ReportData } from "./report-data.js";

/**
 * A page that is one file and holds everything it needs, to be opened, kept or sent as it is: the words are HTML, the
 * curves are JSON that the page's script draws. A policy in the page forbids it to load anything.
 */
export function reportDocument(title: string, body: string, data: ReportData): string {
  const { script, style } = plotter();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${html(title)} · Isobatch</title>
<style>${style}${REPORT_STYLE}</style>
</head>
<body>
<main>
${body}
<footer>All curves are over the training samples seen. Drag across a chart to zoom in, double-click to zoom out.</footer>
</main>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${script}</script>
<script type="module">${pageScript()}</script>
</body>
</html>
`;
}

/** uPlot's script and style from its package, which the published package depends on too. */
function plotter(): { script: string; style: string } {
  const require = createRequire(import.meta.url);
  const read = (file: string) => readFileSync(require.resolve(`uplot/dist/${file}`), "utf8");
  return { script: read("uPlot.iife.min.js"), style: read("uPlot.min.css") };
}

/** The page's modules, each after those that it imports. */
const MODULES = [
  "../../shared/format.js",
  "../charts/values.js",
  "../page/print.js",
  "../page/plot-options.js",
  "../page/report/draw.js",
];

/** All of the page's modules as one script, because a file that is opened from a disk can't import others. */
function pageScript(): string {
  return MODULES.map((path) => {
    const code = readFileSync(new URL(path, import.meta.url), "utf8");
    return code.replace(/^import .*;$/gm, "").replace(/^export (?!default)/gm, "");
  }).join("\n");
}

/** JSON that can't end the script element it is in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
