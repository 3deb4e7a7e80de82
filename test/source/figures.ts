import { countPastDoors, doorImports } from "./doors.js";
import { functionsOf } from "./functions.js";
import type { SourceFile } from "./sources.js";
import { roomOf } from "./sources.js";
import { typeTwins } from "./type-names.js";

const LONGEST_SHOWN = 3;

function tally(keys: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].map(([key, count]) => `${key} ${count}`).join(", ");
}

/** The figures that `npm run check` prints about the code's shape, a line each. */
export function figuresOf(files: readonly SourceFile[]): string[] {
  const longest = files
    .flatMap(functionsOf)
    .sort((a, b) => b.lines - a.lines)
    .slice(0, LONGEST_SHOWN);
  const imports = doorImports(files);
  const twins = typeTwins(files);
  const list = (entries: Iterable<readonly [string, unknown]>): string =>
    [...entries].map(([name, what]) => `\n    ${name}: ${what}`).join("");
  const past = imports.filter(({ way }) => way === "past").length;
  return [
    `longest functions: ${longest.map(({ at, lines }) => `${at} (${lines} lines)`).join(", ")}`,
    `files per room: ${tally(files.map(({ path }) => roomOf(path)))}`,
    `imports across doors, without those of benchmarks: ${imports.length} (${tally(imports.map(({ way }) => way))})`,
    `imports past a door: ${past}${list(countPastDoors(imports))}`,
    `type names exported more than once: ${twins.size}${list(twins)}`,
  ];
}
