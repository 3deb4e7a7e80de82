import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { DASHBOARD_STYLE } from "../style/index.js";

/**
 * The files that pages load: the same for every run, so that anybody may have them. Their URL contains a digest of all
 * their contents, so that browsers may keep them forever and never mix two versions. Scripts are the compiled modules
 * as they are, and import one another by relative paths.
 */
export interface Assets {
  /** "/assets/<digest>" */
  readonly root: string;
  /** The modules, below the root. */
  readonly scripts: readonly string[];
  /** The file at a whole path. */
  get(path: string): Asset | undefined;
}

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const DIST = new URL("../../", import.meta.url);
/** The modules that the page imports: a file, and folders. */
const SHARED = "shared/format.js";
const FOLDERS = [
  "viewing/charts/",
  "viewing/happenings/",
  "viewing/dashboard/view/",
  "viewing/page/",
  "viewing/page/dashboard/",
];
const SCRIPT = "text/javascript; charset=utf-8";
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2f6bd8"/><path d="M6 9c4 10 8 14 20 14" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/><circle cx="26" cy="23" r="2.6" fill="#fff"/></svg>`;

export function loadAssets(): Assets {
  const require = createRequire(import.meta.url);
  const plotter = (file: string): Buffer => readFileSync(require.resolve(`uplot/dist/${file}`));
  const inFolder = (folder: string): string[] =>
    readdirSync(new URL(folder, DIST))
      .filter((name) => /^[\w-]+\.js$/.test(name))
      .map((name) => folder + name);
  const names = [SHARED, ...FOLDERS.flatMap(inFolder)];
  const modules = names.map((name) => [name, readFileSync(new URL(name, DIST))] as const);
  const files = new Map<string, Asset>([
    ["style.css", { type: "text/css; charset=utf-8", body: Buffer.from(DASHBOARD_STYLE) }],
    ["uplot.css", { type: "text/css; charset=utf-8", body: plotter("uPlot.min.css") }],
    ["uplot.js", { type: SCRIPT, body: plotter("uPlot.iife.min.js") }],
    ["icon.svg", { type: "image/svg+xml", body: Buffer.from(ICON) }],
    ...modules.map(([name, body]) => [name, { type: SCRIPT, body }] as const),
  ]);
  const digest = createHash("sha256");
  for (const [name, { body }] of files) digest.update(name).update(body);
  const root = `/assets/${digest.digest("hex").slice(0, 16)}`;
  return {
    root,
    scripts: modules.map(([name]) => name),
    get: (path) => (path.startsWith(`${root}/`) ? files.get(path.slice(root.length + 1)) : undefined),
  };
}
