import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Folders with files that nobody wrote; at the root also the run directories in runs/. */
const NOT_WRITTEN = new Set(["node_modules", "dist", "generated"]);
const isWritten = (path: string, name: string): boolean => !NOT_WRITTEN.has(name) && path !== "runs";

/** Hidden folders whose files are part of the project. */
const HIDDEN = new Set([".ci", ".github", ".vitepress"]);

export interface SourceFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

function* filesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) yield path.replaceAll(sep, "/");
    else if (!entry.isDirectory() || !isWritten(path, entry.name)) continue;
    else if (!entry.name.startsWith(".") || HIDDEN.has(entry.name)) yield* filesIn(path);
  }
}

/** The files below the root with one of these extensions (such as ".ts"; "" for files without one), sorted by path. */
export function filesWith(extensions: readonly string[]): SourceFile[] {
  return [...filesIn("")]
    .filter((path) => extensions.includes(extname(path)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

/** The project's code: no tests, no helpers of tests, no examples, nothing generated. */
export function codeFiles(): SourceFile[] {
  return filesWith([".ts", ".mjs"]).filter(
    ({ path }) => !/^(test|docs|examples)\/|\.test\.|\.d\.ts$|\.config\.m?ts$|\/assembly\//.test(path),
  );
}

/** The top folder of a file; "." for a file of the root. */
export function roomOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : ".";
}
