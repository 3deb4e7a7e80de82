/** A CSV file as rows of words, each with its line: what is wrong with it is reported by file, line and column. */
import { readFile } from "node:fs/promises";
import { CsvError, parse } from "csv-parse/sync";
import { invalid } from "../../shared/errors.js";
import { reasonOf } from "../../shared/system-errors.js";
import type { DatasetSpec } from "../task.js";
import { decodeUtf8 } from "./utf8.js";

export type CsvSpec = Extract<DatasetSpec, { kind: "csv" }>;

/** A parsed file: its rows, and where each was. */
export interface Table {
  readonly path: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The line number of each row, counted from 1. */
  readonly lines: readonly number[];
}

export async function readTable(path: string, { delimiter, header }: CsvSpec): Promise<Table> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return invalid(`The data file ${path} can't be read: ${reasonOf(error)}.`, { cause: error });
  }
  const text = decodeUtf8(bytes, path, (offset) => columnAt(bytes, offset, delimiter, header));
  let records: { record: string[]; info: { lines: number } }[];
  try {
    const options = { delimiter, info: true, skip_empty_lines: true, trim: true };
    records = parse(text, options) as unknown as typeof records;
  } catch (error) {
    if (error instanceof CsvError) return invalid(`${path} is not a usable CSV file: ${error.message}.`);
    throw error;
  }
  const head = header ? records.shift() : undefined;
  if (records.length === 0) return invalid(`${path} has no rows${header ? " below its header" : ""}.`);
  return {
    path,
    columns: head?.record ?? records[0].record.map((_, i) => String(i)),
    rows: records.map(({ record }) => record),
    lines: records.map(({ info }) => info.lines),
  };
}

/** The most column names that a message shows. */
const SHOWN_MAX = 20;

/** The numbers of columns that a field of the task names, by name or number. */
export function columnNumbers(table: Table, field: string, wanted: readonly (string | number)[]): number[] {
  return wanted.map((column) => {
    const index = typeof column === "number" ? column : table.columns.indexOf(column);
    if (index >= 0 && index < table.columns.length) return index;
    const known = table.columns.slice(0, SHOWN_MAX).join(", ") + (table.columns.length > SHOWN_MAX ? ", …" : "");
    return invalid(
      `dataset.${field} names the column ${JSON.stringify(column)}, which ${table.path} does not have; it has ${known}.`,
    );
  });
}

/**
 * Checks the names of the columns that are used: without a name nobody can say what is in a column. Programs
 * that write tables often put the rows' numbers first, without a name, and a model would learn from them.
 */
export function checkNames({ path, columns }: Table, used: readonly number[], header: boolean): void {
  const isNumber = (column: number): boolean => columns[column] !== "" && Number.isFinite(Number(columns[column]));
  if (header && used.every(isNumber) && used.some((column) => !Number.isInteger(Number(columns[column])))) {
    invalid(
      `${path}, line 1: it is taken as the names of the columns, but it is all numbers (${columns.slice(0, SHOWN_MAX).join(", ")}` +
        `${columns.length > SHOWN_MAX ? ", …" : ""}); set dataset.header to false if it is a row, or give the columns names.`,
    );
  }
  for (const column of used) {
    const name = columns[column];
    if (name === "") {
      invalid(
        `${path}: column ${column}, counted from 0, has no name; name it, or leave it out with "ignore": [${column}] in ` +
          "dataset, which is best for row numbers.",
      );
    }
    if (used.some((other) => other !== column && columns[other] === name)) {
      invalid(`${path} has two columns called "${name}"; rename one, or set dataset.header to false.`);
    }
  }
}

/** Where a value is, in words. */
export function placeIn(table: Table, row: number, column: number): string {
  return `${table.path}, line ${table.lines[row]}: column "${table.columns[column]}"`;
}

/** @param isLabel whether the column is to be predicted, so that it can't be left out. */
export function numberAt(table: Table, row: number, column: number, isLabel: boolean): number {
  const text = table.rows[row][column];
  const value = text === "" || isPrefixed(text) ? Number.NaN : Math.fround(Number(text));
  if (Number.isFinite(value)) return value;
  const remedy = isLabel ? "correct it, or remove the row" : "correct it, or leave the column out with dataset.ignore";
  const comma = /^[+-]?\d+,\d+$/.test(text) ? "write it with a point, " : "";
  return invalid(
    `${placeIn(table, row, column)} is "${text}", which is not a finite float32 number; ${comma}${remedy}.`,
  );
}

/** Whether the text is like 0x1F, which only JavaScript takes for a number. */
function isPrefixed(text: string): boolean {
  return text.charCodeAt(0) === 48 && text.length > 2 && "xXoObB".includes(text[1]);
}

const [QUOTE, LINE_FEED] = [34, 10];

/** The column of the byte at `offset`, in words. The file is not UTF-8, so its bytes are read. */
function columnAt(bytes: Uint8Array, offset: number, delimiter: string, header: boolean): string {
  const separator = delimiter.codePointAt(0);
  let [column, row, quoted] = [0, 0, false];
  let names: string | undefined;
  for (let i = 0; i < offset; i++) {
    if (bytes[i] === QUOTE) quoted = !quoted;
    else if (!quoted && bytes[i] === separator) column += 1;
    else if (!quoted && bytes[i] === LINE_FEED) {
      names ??= new TextDecoder().decode(bytes.subarray(0, i));
      [column, row] = [0, row + 1];
    }
  }
  const name = header && row > 0 ? names?.split(delimiter)[column]?.trim() : undefined;
  return name ? `column "${name}"` : `column ${column}, counted from 0,`;
}
