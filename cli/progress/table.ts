import type { Paint } from "./view.js";

/** Lists that follow each other are aligned as one. */
const LABEL_WIDTH = "dashboard".length;

/** Indented lines of a label and its value, the values aligned. */
export function labelled(rows: readonly (readonly [label: string, value: string])[], paint: Paint): string[] {
  const width = Math.max(LABEL_WIDTH, ...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${paint("dim", label.padEnd(width))}  ${value}`);
}

/** Rows as lines with aligned columns. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}
