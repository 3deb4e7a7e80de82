/**
 * The folder of an experiment: what it is (experiment.json), and a line for each run that is done (results.jsonl). A
 * run is there whole or not at all, so an experiment that was ended at any moment resumes with the runs it lacks.
 */
import { join } from "node:path";
import type { Protocol, RunResult } from "../../experiment/index.js";
import { acquireLock, openJsonLines, readJsonLines } from "../../server/record/index.js";
import { makeFolderDurably, writeFileDurably } from "../../shared/durable-file.js";
import { IsobatchError } from "../../shared/errors.js";
import { parseWritten } from "../../shared/parse-json.js";
import { readRegularFile } from "../../shared/regular-file.js";
import { version } from "../../shared/version.js";
import type { Task } from "../../tasks/index.js";

export const EXPERIMENT_FILES = {
  identity: "experiment.json",
  results: "results.jsonl",
  summary: "summary.json",
  table: "summary.csv",
  report: "report.html",
  figures: "figures",
} as const;

/** All that decides the numbers of an experiment. */
export interface ExperimentIdentity {
  readonly task: Task;
  readonly protocol: Protocol;
  /** Backend, version, architecture, flags. */
  readonly numerics: object;
}

export interface ExperimentFolder {
  /** What the runs that were done before have left. */
  readonly results: readonly RunResult[];
  /** Keeps a run that is done, through a power cut too. */
  append(result: RunResult): void;
  close(): void;
}

/**
 * Opens the folder for this experiment; nothing else may write to it until it is closed.
 * @throws {IsobatchError} `refused` when it holds another experiment, or another process works in it
 */
export function openExperimentFolder(folder: string, identity: ExperimentIdentity): ExperimentFolder {
  makeFolderDurably(folder);
  const { release } = acquireLock(folder);
  try {
    const path = join(folder, EXPERIMENT_FILES.identity);
    const content = { isobatch: version, ...identity };
    const found = readRegularFile(path);
    if (found === undefined) writeFileDurably(path, `${JSON.stringify(content, null, 2)}\n`);
    else checkSame(folder, parseWritten(found, path), JSON.parse(JSON.stringify(content)));
    const resultsPath = join(folder, EXPERIMENT_FILES.results);
    // Opening cuts off a line that a dying process has torn.
    const lines = openJsonLines<RunResult>(resultsPath);
    return {
      results: [...readJsonLines<RunResult>(resultsPath)],
      append(result) {
        lines.append(result);
        lines.sync();
      },
      close() {
        lines.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Compares field by field, so that the sentence can name the one that differs. */
function checkSame(folder: string, found: unknown, wanted: unknown): void {
  const difference = firstDifference(found, wanted, "");
  if (difference === undefined) return;
  const [field, was, is] = difference;
  throw new IsobatchError(
    "refused",
    `${folder} holds an experiment whose ${field} is ${shown(was)}, not ${shown(is)}; ` +
      "give the same options to resume it, or another --out.",
  );
}

function firstDifference(a: unknown, b: unknown, path: string): [path: string, a: unknown, b: unknown] | undefined {
  const fields = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  if (!fields(a) || !fields(b) || Array.isArray(a) !== Array.isArray(b)) return a === b ? undefined : [path, a, b];
  // A list is one value to the person who wrote it.
  if (Array.isArray(a)) return JSON.stringify(a) === JSON.stringify(b) ? undefined : [path, a, b];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const difference = firstDifference(a[name], b[name], path === "" ? name : `${path}.${name}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
