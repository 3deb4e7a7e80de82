/** The classes of a CSV file's label column. Two spellings of a word are not two classes; a missing value is not a class. */
import { invalid } from "../../shared/errors.js";
import { placeIn, type Table } from "./csv-table.js";

const CLASSES_MAX = 100_000;
/** What programs write for a missing value. */
const MISSING = /^(n\/?a|#n\/a|nan|null|none|nil|missing|\?|-+|\.)$/i;

/** The row of each class's first appearance, by its word. */
export type FirstRows = ReadonlyMap<string, number>;

export function firstRowsOf(table: Table, column: number): FirstRows {
  const rows = new Map<string, number>();
  for (const [row, { [column]: word }] of table.rows.entries()) if (!rows.has(word)) rows.set(word, row);
  return rows;
}

/** The classes in their order. @throws {IsobatchError} `invalid_input` when words can't be classes. */
export function classesOf(table: Table, column: number, rows: FirstRows): string[] {
  const place = (word: string): string => placeIn(table, rows.get(word)!, column);
  const empty = [...rows.keys()].find((word) => word.trim() === "");
  if (empty !== undefined)
    invalid(`${place(empty)} is empty, but it is the label; give the row a class, or remove it.`);
  const words = [...rows.keys()].sort(compareWords);
  checkDifferent(table, rows, words, place);
  const numbers = words.filter(isNumber);
  const missing = words.find((word) => MISSING.test(word));
  if (missing !== undefined && numbers.length === words.length - 1 && numbers.length > 0) {
    invalid(
      `${place(missing)} is "${missing}", and all other classes are numbers; remove the rows whose label is missing, or, if it is ` +
        "a class, give it another name.",
    );
  }
  if (words.length < 2) invalid(`The label column of ${table.path} has only one class; at least two are needed.`);
  if (words.length > CLASSES_MAX) {
    invalid(
      `The label column of ${table.path} has ${words.length} classes; at most ${CLASSES_MAX}, or set dataset.target to "numbers".`,
    );
  }
  return words;
}

/** Two spellings of one thing would be two classes, and nobody would notice. */
function checkDifferent(
  { lines }: Table,
  rows: FirstRows,
  words: readonly string[],
  place: (word: string) => string,
): void {
  const seen = new Map<string, string>();
  for (const word of words) {
    const same = isNumber(word) ? String(Number(word)) : word.normalize("NFC").trim().replace(/\s+/g, " ");
    const other = seen.get(same);
    seen.set(same, word);
    if (other === undefined) continue;
    const why = isNumber(word)
      ? "are the same number"
      : "differ only in white space or in how their letters are encoded";
    invalid(
      `${place(word)} is ${JSON.stringify(word)}, and in line ${lines[rows.get(other)!]} it is ${JSON.stringify(other)}, which ${why} but ` +
        "would be two classes; write them alike.",
    );
  }
}

function isNumber(word: string): boolean {
  return Number.isFinite(Number(word));
}

/** Numbers by value, words by their code units, numbers first: no locale, so the same on every machine. */
function compareWords(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y)) return x - y || (a < b ? -1 : 1);
  if (Number.isFinite(x) !== Number.isFinite(y)) return Number.isFinite(x) ? -1 : 1;
  return a < b ? -1 : 1;
}
