import type { SourceFile } from "./sources.js";

/** The paths of the files that export a type of this name, for each name that more than one exports. */
export function typeTwins(files: readonly SourceFile[]): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { path, text } of files) {
    const names = text.matchAll(/^export (?:declare )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm);
    for (const name of new Set([...names].map(([, each]) => each))) paths.set(name, [...(paths.get(name) ?? []), path]);
  }
  return new Map([...paths].filter(([, found]) => found.length > 1).sort(([a], [b]) => (a < b ? -1 : 1)));
}
