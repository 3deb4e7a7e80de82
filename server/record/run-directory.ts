import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolderDurably, writeFileDurably } from "../../shared/durable-file.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { type Layout, layoutFromJson, layoutToJson } from "../../shared/layout/index.js";
import type { Numerics } from "../../shared/numerics.js";
import { parseWritten } from "../../shared/parse-json.js";
import { readRegularFile, regularFileExists } from "../../shared/regular-file.js";
import { acquireLock, LOCK_FILE } from "./lock.js";
import type { RunFacts } from "./run-facts.js";

/**
 * A run's folder: everything that is known about a run, so that the same command resumes it, and it can be evaluated
 * and exported without the task's code. `run.json` identifies the run and is written first; the other files follow from
 * the task and are made again if they are missing.
 */
export interface RunDirectory {
  readonly folder: string;
  readonly checkpointsFolder: string;
  /** Whether the folder held this run before. */
  readonly resumed: boolean;
  /** The present contents of `run.json`. */
  readonly identity: RunIdentity;
  /** The task with which the run continues. */
  readonly taskJson: string;
  /** Writes the task to `task.json`; to be called once nothing can prevent the run from continuing with it. */
  saveTask(): void;
  /** Returns once the term will survive a power failure: it is saved before it is used. */
  saveTerm(term: number): void;
  /** Saves the run's numerics class, which its first worker determines. */
  saveNumerics(numerics: Numerics): void;
  /** Publishes in the folder the HOST:PORT at which this machine reaches the server. */
  showAddress(address: string): void;
  /** Releases the folder for other servers. */
  close(): void;
}

/** `run.json`. */
export interface RunIdentity {
  readonly runId: string;
  readonly taskName: string;
  readonly taskHash: string;
  /** Numbers the run's restarts and rollbacks. */
  readonly term: number;
  /** Null until a worker has joined. */
  readonly numerics: Numerics | null;
  /** The version of Isobatch that made the run. */
  readonly version: string;
  /** The training data; absent in a directory of a version that did not record it yet. */
  readonly data?: DataIdentity;
  /** Absent in a directory of a version that did not record them yet. */
  readonly facts?: RunFacts;
}

/** A data set identified by its contents, regardless of its location. */
export interface DataIdentity {
  readonly fingerprint: string;
  /** The fingerprint of the training part. */
  readonly trainFingerprint: string;
}

export interface RunDirectoryOptions {
  /** Made if missing. */
  readonly folder: string;
  /** `hash` covers everything that must not change when a run is resumed; `json` is the fully resolved task. */
  readonly task: { readonly name: string; readonly hash: string; readonly json: string };
  readonly data?: DataIdentity;
  readonly facts?: RunFacts;
  /**
   * For a folder that holds a run: returns the task (as JSON) with which it continues, or throws. Without it, or if the
   * folder has lost its task.json, the hashes must be the same.
   */
  readonly goOn?: (held: HeldRun) => string;
  /** The version of Isobatch. */
  readonly version: string;
  /** The model's topology as JSON, without weights. */
  readonly topology: string;
  readonly layout: Layout;
  /** The form of the samples, as JSON. */
  readonly samples?: string;
}

/** The run that a folder holds. */
export interface HeldRun {
  readonly identity: RunIdentity;
  readonly taskJson: string;
}

export const RUN_FILES = {
  run: "run.json",
  task: "task.json",
  topology: "model.json",
  layout: "layout.json",
  samples: "samples.json",
  summary: "summary.json",
  report: "report.html",
  checkpoints: "checkpoints",
  tensorboard: "tensorboard",
} as const;

/**
 * Opens the folder for one server, as a new run or as the one it holds.
 * @throws {IsobatchError} `invalid_input` if it holds something else; `refused` while another server uses it
 */
export function openRunDirectory(options: RunDirectoryOptions): RunDirectory {
  const { folder, task, data, facts, goOn, version, topology, layout } = options;
  const path = (file: string) => join(folder, file);
  makeFolderDurably(folder);
  const lock = acquireLock(folder);
  try {
    checkFiles(folder);
    const resumed = regularFileExists(path(RUN_FILES.run));
    let identity: RunIdentity;
    let taskJson = task.json;
    if (resumed) {
      identity = readIdentity(folder);
      if (goOn === undefined || !regularFileExists(path(RUN_FILES.task))) checkSameTask(folder, identity, task);
      else taskJson = goOn({ identity, taskJson: readText(path(RUN_FILES.task)) });
      checkSameLayout(path(RUN_FILES.layout), layout);
    } else {
      checkEmpty(folder);
      const { name: taskName, hash } = task;
      identity = {
        runId: randomUUID(),
        taskName,
        taskHash: hash,
        term: 0,
        numerics: null,
        version,
      };
    }
    const save = (changed: RunIdentity) => {
      writeFileDurably(path(RUN_FILES.run), `${JSON.stringify(changed, null, 2)}\n`);
      identity = changed;
    };
    const complete: RunIdentity = {
      ...identity,
      ...(identity.data === undefined && data !== undefined && { data }),
      ...(facts !== undefined && { facts }),
    };
    if (!resumed || JSON.stringify(complete) !== JSON.stringify(identity)) save(complete);
    if (!regularFileExists(path(RUN_FILES.task))) writeFileDurably(path(RUN_FILES.task), taskJson);
    writeIfChanged(path(RUN_FILES.topology), topology);
    writeIfChanged(path(RUN_FILES.layout), layoutToJson(layout));
    if (options.samples !== undefined) writeIfChanged(path(RUN_FILES.samples), options.samples);
    makeFolderDurably(path(RUN_FILES.checkpoints));
    return {
      folder,
      checkpointsFolder: path(RUN_FILES.checkpoints),
      resumed,
      get identity() {
        return identity;
      },
      taskJson,
      saveTask: () => writeIfChanged(path(RUN_FILES.task), taskJson),
      saveTerm: (term) => save({ ...identity, term }),
      saveNumerics: (numerics) => save({ ...identity, numerics }),
      showAddress: lock.showAddress,
      close: lock.release,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A run's folder as read by a program that does not serve the run. */
export interface RunContents {
  readonly identity: RunIdentity;
  readonly taskJson: string;
  readonly topology: string;
  readonly layout: Layout;
}

/** @throws {IsobatchError} `invalid_input` if it is not a run directory; `damaged` if one of its files is unreadable */
export function readRunDirectory(folder: string): RunContents {
  if (!regularFileExists(join(folder, RUN_FILES.run))) {
    throw new IsobatchError(
      "invalid_input",
      `${folder} is not a run directory: it has no ${RUN_FILES.run}. Name a folder that isobatch run or server made.`,
    );
  }
  return {
    identity: readIdentity(folder),
    taskJson: readText(join(folder, RUN_FILES.task)),
    topology: readText(join(folder, RUN_FILES.topology)),
    layout: readLayout(join(folder, RUN_FILES.layout)),
  };
}

function readIdentity(folder: string): RunIdentity {
  const path = join(folder, RUN_FILES.run);
  const value = parseWritten(readText(path), path) as Partial<RunIdentity> | null;
  const sound =
    typeof value?.runId === "string" &&
    typeof value.taskName === "string" &&
    typeof value.taskHash === "string" &&
    typeof value.version === "string" &&
    isTerm(value.term);
  if (!sound) throw new IsobatchError("damaged", `${path} is damaged: it does not say which run this is.`);
  return value as RunIdentity;
}

/** The largest term: more than a run can reach, and low enough that the next one is still a safe integer. */
const TERM_MAX = 2 ** 52;

function isTerm(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= TERM_MAX;
}

function readLayout(path: string): Layout {
  try {
    return layoutFromJson(readText(path));
  } catch (error) {
    if (error instanceof IsobatchError) throw error;
    throw new IsobatchError("damaged", `${path} is damaged: ${messageOf(error)}.`, { cause: error });
  }
}

function readText(path: string): string {
  const text = readRegularFile(path);
  if (text === undefined) {
    throw new IsobatchError(
      "damaged",
      `${path} is missing; restore it from a copy, or start again elsewhere with --out.`,
    );
  }
  return text;
}

function checkSameTask(folder: string, identity: RunIdentity, task: RunDirectoryOptions["task"]): void {
  if (identity.taskHash === task.hash) return;
  const [theirs, ours] =
    identity.taskName === task.name
      ? [`task "${identity.taskName}" with other settings`, "this one"]
      : [`task "${identity.taskName}"`, `"${task.name}"`];
  throw new IsobatchError(
    "invalid_input",
    `${folder} holds a run of ${theirs}, so ${ours} can't continue in it; choose another folder with --out.`,
  );
}

function checkSameLayout(path: string, layout: Layout): void {
  if ((readRegularFile(path) ?? layoutToJson(layout)) === layoutToJson(layout)) return;
  throw new IsobatchError(
    "invalid_input",
    `${path} describes another model than the task's; choose another folder with --out.`,
  );
}

/** Detects at the start, and not at the run's end, anything that is in the place of a file that the run will write. */
function checkFiles(folder: string): void {
  const { run, task, topology, layout, samples, summary } = RUN_FILES;
  for (const file of [run, task, topology, layout, samples, summary]) regularFileExists(join(folder, file));
}

function checkEmpty(folder: string): void {
  const others = readdirSync(folder).filter((name) => !isPreparation(name));
  if (others.length === 0) return;
  throw new IsobatchError(
    "invalid_input",
    `${folder} is not empty and not a run directory (it has ${others[0]}, but no ${RUN_FILES.run}); choose another folder with --out.`,
  );
}

/**
 * Whether this may be in a folder before its run: the lock, leftovers of a crash, and tokens that were made beforehand.
 */
function isPreparation(name: string): boolean {
  return name.startsWith(LOCK_FILE) || name.endsWith(".tmp") || name === "security" || name === "token";
}

function writeIfChanged(path: string, content: string): void {
  if (readRegularFile(path) !== content) writeFileDurably(path, content);
}
