/**
 * A table of numbers with one or more columns to predict. Inputs are float32 as they stand in the file: no column is
 * normalised behind the user's back (a model may begin with a BatchNormalization layer). Class labels may be words;
 * classes are numbered in the order of their sorted words, so that the order of the rows doesn't matter.
 */
import { readFile } from "node:fs/promises";
import { CsvError, parse } from "csv-parse/sync";
import { invalid, messageOf } from "../../shared/errors.js";
import { createRandom, seedOf, shuffle } from "../../shared/random.js";
import type { DatasetSpec } from "../task.js";
import { createDataset, type Dataset, type LabelSpec } from "./dataset.js";

type CsvSpec = Extract<DatasetSpec, { kind: "csv" }>;

/** A parsed file: its rows, and where each stood. */
interface Table {
  readonly path: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The line number of each row, counted from 1. */
  readonly lines: readonly number[];
}

/** @param read reads a file; replaced to read from a local copy. */
export async function readCsv(spec: CsvSpec): Promise<{ train: Dataset; test: Dataset | undefined }> {
  const whole = await readTable(spec.file, spec);
  const testTable = spec.testFile === null ? undefined : await readTable(spec.testFile, spec);
  if (testTable !== undefined && testTable.columns.join("\n") !== whole.columns.join("\n")) {
    invalid(
      `${testTable.path} has the columns ${testTable.columns.join(", ")}, but ${whole.path} has ` +
        `${whole.columns.join(", ")}; both must have the same.`,
    );
  }
  const labelColumns = columnNumbers(whole, "label", [spec.label].flat());
  const ignored = columnNumbers(whole, "ignore", spec.ignore);
  const inputColumns = whole.columns.map((_, i) => i).filter((i) => !labelColumns.includes(i) && !ignored.includes(i));
  if (inputColumns.length === 0) invalid(`${whole.path} has no column left for the inputs beside the label.`);
  if (spec.target === "classes" && labelColumns.length !== 1) {
    invalid(`dataset.label names ${labelColumns.length} columns, but classes are read from one; name one column.`);
  }
  const tables = testTable === undefined ? [whole] : [whole, testTable];
  const label = labelSpec(tables, labelColumns, spec.target);
  const part = (table: Table, rows: Uint32Array, limit: number | null): Dataset =>
    toDataset(table, limit === null ? rows : rows.subarray(0, limit), inputColumns, labelColumns, label);

  if (testTable !== undefined) {
    return {
      train: part(whole, allRows(whole), spec.limit),
      test: part(testTable, allRows(testTable), spec.testLimit),
    };
  }
  // Which rows are set aside depends on their number alone, not on the run's seed: runs stay comparable.
  const testCount = Math.round(whole.rows.length * spec.testFraction);
  const order = shuffle(allRows(whole), createRandom(seedOf("csv test rows", whole.rows.length)));
  if (testCount === whole.rows.length) {
    invalid(`dataset.testFraction ${spec.testFraction} leaves none of the ${testCount} rows to train on; lower it.`);
  }
  const train = order.slice(testCount).sort();
  const test = order.slice(0, testCount).sort();
  return {
    train: part(whole, train, spec.limit),
    test: testCount === 0 ? undefined : part(whole, test, spec.testLimit),
  };
}

async function readTable(path: string, spec: CsvSpec): Promise<Table> {
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (error) {
    return invalid(`The data file ${path} can't be read: ${messageOf(error)}.`, { cause: error });
  }
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, {
      bom: true,
      delimiter: spec.delimiter,
      info: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as typeof records;
  } catch (error) {
    if (error instanceof CsvError) return invalid(`${path} is not a usable CSV file: ${error.message}.`);
    throw error;
  }
  const header = spec.header ? records.shift() : undefined;
  if (records.length === 0) return invalid(`${path} has no rows${spec.header ? " below its header" : ""}.`);
  const columns = header?.record ?? records[0].record.map((_, i) => String(i));
  const repeated = columns.find((column, i) => columns.indexOf(column) !== i);
  if (repeated !== undefined) {
    invalid(`${path} has two columns called "${repeated}"; rename one, or set dataset.header to false.`);
  }
  return {
    path,
    columns,
    rows: records.map(({ record }) => record),
    lines: records.map(({ info }) => info.lines),
  };
}

function columnNumbers(table: Table, field: string, wanted: readonly (string | number)[]): number[] {
  return wanted.map((column) => {
    const index = typeof column === "number" ? column : table.columns.indexOf(column);
    if (index >= 0 && index < table.columns.length) return index;
    const known = table.columns.slice(0, 20).join(", ") + (table.columns.length > 20 ? ", …" : "");
    return invalid(
      `dataset.${field} names the column ${JSON.stringify(column)}, which ${table.path} has not; it has ${known}.`,
    );
  });
}

function labelSpec(tables: readonly Table[], columns: readonly number[], target: CsvSpec["target"]): LabelSpec {
  if (target === "numbers") return { shape: columns.length === 1 ? [] : [columns.length], type: "float32" };
  const words = new Set(tables.flatMap((table) => table.rows.map((row) => row[columns[0]])));
  const sorted = [...words].sort((a, b) => compareWords(a, b));
  if (sorted.length < 2) invalid(`The label column of ${tables[0].path} has one class only; two are the least.`);
  if (sorted.length > 100_000) {
    invalid(
      `The label column of ${tables[0].path} has ${sorted.length} classes; at most 100000, or set dataset.target to "numbers".`,
    );
  }
  return { shape: [], type: "int32", classes: sorted.length, classNames: sorted };
}

/** Numbers by value, words by their code units, numbers first: no locale, so the same on every machine. */
function compareWords(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isFinite(x) && Number.isFinite(y)) return x - y || (a < b ? -1 : 1);
  if (Number.isFinite(x) !== Number.isFinite(y)) return Number.isFinite(x) ? -1 : 1;
  return a < b ? -1 : 1;
}

function toDataset(
  table: Table,
  rows: Uint32Array,
  inputColumns: readonly number[],
  labelColumns: readonly number[],
  label: LabelSpec,
): Dataset {
  const inputs = new Float32Array(rows.length * inputColumns.length);
  const labels =
    label.type === "int32" ? new Int32Array(rows.length) : new Float32Array(rows.length * labelColumns.length);
  const classOf = new Map(label.classNames?.map((word, i) => [word, i]));
  rows.forEach((row, i) => {
    inputColumns.forEach((column, j) => {
      inputs[i * inputColumns.length + j] = numberAt(table, row, column);
    });
    labelColumns.forEach((column, j) => {
      labels[i * labelColumns.length + j] = classOf.get(table.rows[row][column]) ?? numberAt(table, row, column);
    });
  });
  const bytesOf = (array: Float32Array | Int32Array): Uint8Array => new Uint8Array(array.buffer);
  const form = { input: { shape: [inputColumns.length], type: "float32" as const, scale: 1 }, label };
  const { path, columns } = table;
  const lines = Uint32Array.from(rows, (row) => table.lines[row]);
  return {
    ...createDataset(form, bytesOf(inputs), bytesOf(labels)),
    place: (sample, element) => `${path}, line ${lines[sample]}: column "${columns[inputColumns[element]]}"`,
  };
}

function numberAt(table: Table, row: number, column: number): number {
  const text = table.rows[row][column];
  const value = text === "" ? Number.NaN : Math.fround(Number(text));
  if (Number.isFinite(value)) return value;
  return invalid(
    `${table.path}, line ${table.lines[row]}: column "${table.columns[column]}" is "${text}", which is not a finite ` +
      "float32 number; correct it, or leave the column out with dataset.ignore.",
  );
}

function allRows(table: Table): Uint32Array {
  return Uint32Array.from(table.rows, (_, i) => i);
}
