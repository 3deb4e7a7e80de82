/**
 * What a task module's imports mean. A task module may be anywhere: in a checkout, next to a global installation, in a
 * folder without packages. Wherever it is, `isobatch` and TensorFlow.js are those of this installation, so the
 * TensorFlow.js that trains a model also makes it. This holds for the task module and the files that it imports, not for
 * packages that they import, nor for the rest of the program. A mark in their URLs distinguishes them; it also makes
 * Node.js load a changed module again.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/** In the query of a URL: the SHA-256 of the task module. */
const MARK = "isobatch-task";

/** The packages' own files, by specifier. */
const OWN: Readonly<Record<string, URL>> = {
  isobatch: new URL("../../index.js", import.meta.url),
  "isobatch/layers": new URL("../models/isobatch-layers.js", import.meta.url),
};
const TENSORFLOW = /^@tensorflow\/tfjs-(core|layers)(\/|$)/;

/** What Node.js says about an import; `conditions` has `require` for that function. */
export interface Importer {
  readonly parentURL?: string;
  readonly conditions?: readonly string[];
}

export interface Resolution {
  readonly url: string;
  readonly format?: string | null;
  readonly shortCircuit?: boolean;
}

/** The files of task modules; a CommonJS module's `require` names it without its mark. */
const files = new Map<string, string>();

/** The URL by which a task module is imported. */
export function markedUrl(url: string, hash: string): string {
  return `${url}?${MARK}=${hash}`;
}

/** What a marked module's import is, where it is one of this installation's packages; undefined: what Node.js finds. */
export function redirected(specifier: string, importer: Importer): Resolution | undefined {
  if (markOfImporter(importer) === undefined) return undefined;
  if (Object.hasOwn(OWN, specifier)) return { url: OWN[specifier].href, shortCircuit: true };
  if (!TENSORFLOW.test(specifier)) return undefined;
  return { url: pathToFileURL(createRequire(import.meta.url).resolve(specifier)).href, shortCircuit: true };
}

/**
 * Marks what a marked module imports, unless that is a package's, and says that a file with `import` or `export` is a module where
 * no package.json does.
 */
export function marked(found: Resolution, specifier: string, importer: Importer): Resolution {
  const mark = markOf(specifier) ?? (/^(\.|\/|file:)/.test(specifier) ? markOfImporter(importer) : undefined);
  if (mark === undefined || !found.url.startsWith("file:") || found.url.includes("/node_modules/")) return found;
  files.set(new URL(found.url).pathname, mark);
  if (isRequire(importer)) return found;
  const url = markOf(found.url) === undefined ? markedUrl(found.url, mark) : found.url;
  return { ...found, url, format: formatOf(found) };
}

function markOfImporter(importer: Importer): string | undefined {
  const { parentURL } = importer;
  if (parentURL === undefined) return undefined;
  return markOf(parentURL) ?? (isRequire(importer) ? files.get(new URL(parentURL).pathname) : undefined);
}

const isRequire = ({ conditions }: Importer): boolean => conditions?.includes("require") ?? false;

function markOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new RegExp(`[?&]${MARK}=([0-9a-f]{64})`).exec(url)?.[1];
}

/** A line that only a module has; comments and strings may fool it, which Node.js then reports as for any file. */
const MODULE_SYNTAX = /^\s*(export\s+(default\b|\{|\*|const\b|function\b|async\b|class\b|let\b)|import\s+["'{*\w])/m;

/** The format that Node.js has found; for a `.js` or `.ts` file without a package.json's word the one that its text shows. */
function formatOf({ url, format }: Resolution): string | null | undefined {
  const { pathname } = new URL(url);
  if (!/\.[jt]s$/.test(pathname) || format === "module" || format === "module-typescript") return format;
  try {
    if (!MODULE_SYNTAX.test(readFileSync(fileURLToPath(url), "utf8"))) return format;
  } catch {
    return format;
  }
  return pathname.endsWith(".ts") ? "module-typescript" : "module";
}
