/**
 * The differences between two tasks that a run cannot adopt, in words: `learningRate is 0.0001 here and 0.001 there`.
 */
import type { Task } from "../tasks/index.js";

/** What may change when a run continues. The schedule's end is compared separately. */
const FREE = ["name", "samples", "evaluateEverySamples", "evaluationBatchSize", "checkpointEverySamples"];
const ALSO_FREE = ["checkpointsKept", "mixed", "dataset"];
/** The fields that determine which other fields exist. */
const KINDS = ["kind", "name", "layer"];
const SHOWN_MAX = 6;
const VALUE_MAX = 60;

export function taskDifferences(here: Task, there: Task): string[] {
  return differences(fixed(here), fixed(there), "");
}

/** The differences between the tasks' data settings. The location of the files does not count. */
export function datasetDifferences(here: Task, there: Task): string[] {
  const placeless = ({ dataset }: Task): object => omit(dataset, ["file", "testFile", "folder"]);
  return differences(placeless(here), placeless(there), "dataset");
}

/** The first differences, and the number of the others. */
export function listDifferences(all: readonly string[]): string {
  const more = all.length - SHOWN_MAX;
  return [...all.slice(0, SHOWN_MAX), ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

function fixed(task: Task): object {
  const { model, schedule, wire, precision, ...rest } = omit(task, [...FREE, ...ALSO_FREE]) as Task;
  return {
    ...rest,
    // Absent in a run that was started before tasks had the field.
    wire: wire ?? "float32",
    precision: precision ?? "float32",
    // A module is known by its code, wherever it is stored.
    model: model.kind === "module" ? omit(model, ["path"]) : model,
    schedule: omit(schedule, ["totalSamples", "earlier"]),
  };
}

function differences(here: unknown, there: unknown, path: string): string[] {
  if (!isObject(here) || !isObject(there) || Array.isArray(here) !== Array.isArray(there)) {
    return JSON.stringify(here) === JSON.stringify(there)
      ? []
      : [`${path} is ${shown(here)} here and ${shown(there)} there`];
  }
  const kind = KINDS.find((key) => key in here && key in there && here[key] !== there[key]);
  const keys = kind === undefined ? [...new Set([...Object.keys(here), ...Object.keys(there)])] : [kind];
  const inner = (key: string): string =>
    Array.isArray(here) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
  return keys.flatMap((key) => differences(here[key], there[key], inner(key)));
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function omit<T extends object>(fields: T, keys: readonly string[]): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.includes(key))) as Partial<T>;
}
