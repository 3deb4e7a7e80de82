/** Samples in a file, as the library takes them: rows of a CSV file for a task on CSV, otherwise JSON. */
import { readFile } from "node:fs/promises";
import type { Sample } from "../../index.js";
import { invalid } from "../../shared/errors.js";
import { reasonOf } from "../../shared/system-errors.js";
import { type DatasetSpec, readTable } from "../../tasks/index.js";

/** @throws {IsobatchError} `invalid_input` for a file that can't be read, or that holds something else */
export async function readSamples(path: string, dataset: DatasetSpec): Promise<Sample[]> {
  if (dataset.kind === "csv" && !/\.jsonl?$/i.test(path)) return readRows(path, dataset);
  return path.toLowerCase().endsWith(".jsonl") ? readJsonLines(path) : readJson(path);
}

/** A cell without a number is NaN, as in the label's column. The library names an input that is missing or not finite. */
async function readRows(path: string, dataset: Extract<DatasetSpec, { kind: "csv" }>): Promise<Sample[]> {
  const { columns, rows } = await readTable(path, dataset);
  return rows.map((row) => {
    return Object.fromEntries(row.map((word, i) => [columns[i], word === "" ? Number.NaN : Number(word)]));
  });
}

async function readJsonLines(path: string): Promise<Sample[]> {
  const lines = (await textOf(path)).split("\n");
  return lines.flatMap((line, i) => (line.trim() === "" ? [] : [sampleOf(line, `${path}, line ${i + 1}`)]));
}

async function readJson(path: string): Promise<Sample[]> {
  const samples = parse(await textOf(path), path);
  if (!Array.isArray(samples))
    invalid(`${path} must hold a JSON array of samples; one sample per line needs the ending .jsonl.`);
  return samples.map((sample, i) => checked(sample, `${path}, sample ${i}`));
}

const sampleOf = (json: string, place: string): Sample => checked(parse(json, place), place);

function checked(sample: unknown, place: string): Sample {
  const isNumbers = (values: unknown[]): boolean => values.every((value) => typeof value === "number");
  if (typeof sample === "string") return sample;
  if (Array.isArray(sample) && isNumbers(sample)) return sample as number[];
  if (typeof sample === "object" && sample !== null && !Array.isArray(sample) && isNumbers(Object.values(sample))) {
    return sample as Record<string, number>;
  }
  return invalid(
    `${place} is not a sample: give its numbers as an array, its columns as an object, or its text as a string.`,
  );
}

function parse(json: string, place: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return invalid(`${place} is not JSON.`);
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    return invalid(`The data file ${path} can't be read: ${reasonOf(error)}.`, { cause: error });
  }
}
