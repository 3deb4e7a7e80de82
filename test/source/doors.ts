import { dirname, join } from "node:path";
import type { SourceFile } from "./sources.js";
import { roomOf } from "./sources.js";

/** An import of a file in another room. A room's door is its index.ts. */
export interface DoorImport {
  readonly from: string;
  readonly to: string;
  /** The outermost folder with an index.ts that holds `to` and not `from`. */
  readonly door: string;
  /** Through that door, through one of a room within, or past every door. */
  readonly way: "outer" | "inner" | "past";
}

/**
 * Files that may be imported directly, because a caller that needs only them must not load all that is behind the door:
 * TensorFlow.js as the project sets it up, and the parsing of addresses, which the command line needs to start.
 */
const SIDE_DOORS = new Set([
  ...["core", "layers", "backend-cpu", "backend-wasm"].map((part) => `tasks/tfjs/${part}.ts`),
  "shared/wire/address.ts",
]);

/** The folders above a path, outermost first; the root is not among them. */
function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/**
 * The imports of the given files that leave their top folder and enter a room with a door, whether they use it or not.
 * What a room's own folders import from each other is the room's affair. Helpers of tests have no door, and benchmarks
 * need none: like tests, they reach for the parts that they measure.
 */
export function doorImports(files: readonly SourceFile[]): DoorImport[] {
  const doors = new Set(files.filter(({ path }) => path.endsWith("/index.ts")).map(({ path }) => dirname(path)));
  const importing = files.filter(({ path }) => roomOf(path) !== "bench");
  return importing.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].flatMap(([, specifier]) => {
      const to = join(dirname(path), specifier).replace(/\.js$/, ".ts");
      const door = foldersAbove(to).find((folder) => doors.has(folder) && !path.startsWith(`${folder}/`));
      if (door === undefined || roomOf(to) === roomOf(path) || to.includes(".test.helper.")) return [];
      const isInner = to.endsWith("/index.ts") || SIDE_DOORS.has(to);
      return [{ from: path, to, door, way: to === `${door}/index.ts` ? "outer" : isInner ? "inner" : "past" } as const];
    }),
  );
}

/** How many imports go past each door, by "importing room → door". */
export function countPastDoors(imports: readonly DoorImport[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { from, door, way } of imports) {
    const key = `${roomOf(from)} → ${door}`;
    if (way === "past") counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
