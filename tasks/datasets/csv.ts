/**
 * A table of numbers with one or more columns to predict. Inputs are float32 as they are in the file: no column is
 * silently normalised (a model may start with a BatchNormalization layer). Class labels may be words;
 * classes are numbered in the order of their sorted words, so that the order of the rows doesn't matter.
 */
import { invalid } from "../../shared/errors.js";
import { createRandom, seedOf, shuffle } from "../../shared/random.js";
import { classesOf, firstRowsOf } from "./csv-classes.js";
import { type CsvSpec, checkNames, columnNumbers, numberAt, placeIn, readTable, type Table } from "./csv-table.js";
import { createDataset, type Dataset, type LabelSpec } from "./dataset.js";

/** The columns that are read. */
interface Columns {
  readonly inputs: readonly number[];
  readonly labels: readonly number[];
  readonly label: LabelSpec;
}

export async function readCsv(spec: CsvSpec): Promise<{ train: Dataset; test: Dataset | undefined }> {
  const whole = await readTable(spec.file, spec);
  const testTable = spec.testFile === null ? undefined : await readTable(spec.testFile, spec);
  if (testTable !== undefined && testTable.columns.join("\n") !== whole.columns.join("\n")) {
    invalid(
      `${testTable.path} has the columns ${testTable.columns.join(", ")}, but ${whole.path} has ` +
        `${whole.columns.join(", ")}; both must have the same.`,
    );
  }
  const columns = columnsOf(whole, spec);
  const part = (table: Table, rows: Uint32Array, limit: number | null): Dataset =>
    toDataset(table, limit === null ? rows : rows.subarray(0, limit), columns);

  if (testTable !== undefined) {
    return {
      train: part(whole, allRows(whole), spec.limit),
      test: part(testTable, allRows(testTable), spec.testLimit),
    };
  }
  // Which rows are set aside depends only on how many there are, not on the run's seed: runs stay comparable.
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

function columnsOf(table: Table, spec: CsvSpec): Columns {
  const labels = columnNumbers(table, "label", [spec.label].flat());
  const ignored = columnNumbers(table, "ignore", spec.ignore);
  const inputs = table.columns.map((_, i) => i).filter((i) => !labels.includes(i) && !ignored.includes(i));
  if (inputs.length === 0) invalid(`${table.path} has no column left for the inputs besides the label.`);
  if (spec.target === "classes" && labels.length !== 1) {
    invalid(`dataset.label names ${labels.length} columns, but classes are read from one; name one column.`);
  }
  checkNames(table, [...inputs, ...labels], spec.header);
  if (spec.target === "numbers") {
    return { inputs, labels, label: { shape: labels.length === 1 ? [] : [labels.length], type: "float32" } };
  }
  const classNames = classesOf(table, labels[0], firstRowsOf(table, labels[0]));
  return { inputs, labels, label: { shape: [], type: "int32", classes: classNames.length, classNames } };
}

function toDataset(table: Table, rows: Uint32Array, { inputs, labels, label }: Columns): Dataset {
  const inputNumbers = new Float32Array(rows.length * inputs.length);
  const labelNumbers =
    label.type === "int32" ? new Int32Array(rows.length) : new Float32Array(rows.length * labels.length);
  const classOf = label.classNames && new Map(label.classNames.map((word, i) => [word, i]));
  rows.forEach((row, i) => {
    inputs.forEach((column, j) => {
      inputNumbers[i * inputs.length + j] = numberAt(table, row, column, false);
    });
    labels.forEach((column, j) => {
      // A class that the training part lacks is refused once both parts are read.
      labelNumbers[i * labels.length + j] =
        classOf === undefined ? numberAt(table, row, column, true) : (classOf.get(table.rows[row][column]) ?? -1);
    });
  });
  const bytesOf = (array: Float32Array | Int32Array): Uint8Array => new Uint8Array(array.buffer);
  const form = { input: { shape: [inputs.length], type: "float32" as const, scale: 1 }, label };
  const { path, columns } = table;
  const lines = Uint32Array.from(rows, (row) => table.lines[row]);
  const placeOf = (sample: number, column: number): string =>
    `${path}, line ${lines[sample]}: column "${columns[column]}"`;
  return {
    ...createDataset(form, bytesOf(inputNumbers), bytesOf(labelNumbers)),
    columns: { inputs: inputs.map((column) => columns[column]), labels: labels.map((column) => columns[column]) },
    origin: path,
    firstPlaces: classOf && placesOf(table, labels[0]),
    place: (sample, element) => placeOf(sample, inputs[element]),
    labelPlace: (sample, element) => placeOf(sample, labels[element]),
  };
}

function placesOf(table: Table, column: number): Map<string, string> {
  return new Map([...firstRowsOf(table, column)].map(([word, row]) => [word, placeIn(table, row, column)]));
}

function allRows(table: Table): Uint32Array {
  return Uint32Array.from(table.rows, (_, i) => i);
}
