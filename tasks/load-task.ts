import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { IsobatchError, invalid } from "../shared/errors.js";
import { checkOptimizer, checkSchedule } from "../shared/optimizer/index.js";
import { largestKappa } from "../shared/steps/index.js";
import { reasonOf } from "../shared/system-errors.js";
import { builtInTasks, PRESETS_FOLDER } from "./built-in-tasks.js";
import { decodeUtf8 } from "./datasets/utf8.js";
import { resolveKappa } from "./kappa-rule.js";
import { queueBuild } from "./models/build-queue.js";
import type { LayersModel } from "./models/index.js";
import { hashOfModel, type MakeModel, madeBy } from "./models/module-model.js";
import { loadModule, MODULE_EXTENSIONS } from "./modules/load-module.js";
import { type FieldValues, setFields } from "./set-fields.js";
import { type DatasetSpec, type Task, type TaskInput, taskInputSchema } from "./task.js";
import { describeProblems } from "./task-errors.js";

/**
 * Fields that replace a task's own. `steps` is the length in steps: samples = steps · κ · b. `data` is the folder or file of
 * the data set, `set` has fields by name, as `setFields` takes them.
 */
export type TaskOverrides = Partial<TaskInput> & {
  readonly steps?: number;
  readonly data?: string;
  readonly set?: FieldValues;
};

/**
 * Finds and resolves a task: a built-in's name, a JSON file, or a module whose default export is `defineTask({…})`.
 * @throws {IsobatchError} `invalid_input`, one line per problem.
 */
export async function loadTask(nameOrPath: string, overrides: TaskOverrides = {}): Promise<Task> {
  return resolveTask(nameOrPath, await readInput(nameOrPath), overrides);
}

/** A task, with the model that a function of the program made for it. */
export interface DefinedTask {
  readonly task: Task;
  /** Undefined if the task's description is enough to build the model. */
  readonly model: LayersModel | undefined;
}

/** What messages call a task that is an object. */
const OBJECT = "The task";

/**
 * Completes a task that a program gives as an object. Relative paths start at the working directory.
 * @throws {IsobatchError} `invalid_input`, one line per problem.
 */
export async function resolveDefinition(definition: object, overrides: TaskOverrides = {}): Promise<DefinedTask> {
  const input = await extend({ title: OBJECT, name: "task", folder: resolve() }, definition, 0);
  const { model: make, initialWeights } = (input ?? {}) as { model?: unknown; initialWeights?: unknown };
  if (typeof make !== "function") return { task: resolveTask(OBJECT, input, overrides), model: undefined };
  const model = await queueBuild(() => madeBy(make as MakeModel, `${OBJECT}'s model function`));
  const hash = hashOfModel(model, initialWeights === "model");
  const described = { ...(input as object), model: { kind: "module", path: null, hash } };
  return { task: resolveTask(OBJECT, described, overrides), model };
}

/** Completes and checks a task. `source` is its file or name, for the messages. */
export function resolveTask(source: string, input: unknown, overrides: TaskOverrides = {}): Task {
  const { steps, data: place, set = {}, ...fields } = overrides;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  // The length in steps is known only once κ and b are; until then it stands in for `samples`.
  const placeholder = steps === undefined ? {} : { samples: 1 };
  const merged = isFields(input) ? placed({ ...setFields(input, set), ...given, ...placeholder }, place) : input;
  const parsed = taskInputSchema.safeParse(merged);
  if (!parsed.success) return invalid(describeProblems(source, merged, parsed.error));
  const { data } = parsed;
  const microBatchesPerStep = resolveKappa(source, data);
  if (steps !== undefined && typeof microBatchesPerStep !== "number") {
    return invalid(
      `The number of steps is ${steps}, but microBatchesPerStep decides during the run how many samples a step has; ` +
        "give the length as --samples instead.",
    );
  }
  const perStep = data.microBatchSize * largestKappa(microBatchesPerStep);
  if (steps !== undefined && !(Number.isSafeInteger(steps * perStep) && Number.isInteger(steps) && steps >= 1)) {
    return invalid(`The number of steps is ${steps}; it must be a whole number of at least 1.`);
  }
  const length = steps === undefined ? data.samples : steps * perStep;
  const samples = Math.ceil(length / data.microBatchSize) * data.microBatchSize;
  const tenth = Math.max(1, Math.ceil(samples / 10));
  const task: Task = {
    ...data,
    microBatchesPerStep,
    samples,
    schedule: { ...data.schedule, totalSamples: data.schedule.totalSamples ?? samples },
    evaluateEverySamples: data.evaluateEverySamples ?? tenth,
    checkpointEverySamples: data.checkpointEverySamples ?? tenth,
  };
  checkRelations(source, task);
  return task;
}

/** The field that says where a data set's files are, by kind. */
const PLACE_FIELDS: Readonly<Record<string, "folder" | "file">> = {
  cifar10: "folder",
  idx: "folder",
  csv: "file",
  text: "file",
};

/** The task with its data set's files elsewhere. */
function placed(fields: Record<string, unknown>, place: string | undefined): Record<string, unknown> {
  if (place === undefined || !isFields(fields.dataset)) return fields;
  const kind = String(fields.dataset.kind);
  const field = PLACE_FIELDS[kind];
  if (field === undefined) {
    return invalid(`--data is ${place}, but the data set "${kind}" comes with Isobatch; leave --data out.`);
  }
  return { ...fields, dataset: { ...fields.dataset, [field]: resolve(place) } };
}

function isFields(input: unknown): input is Record<string, unknown> {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

/** Checks what concerns several fields. */
function checkRelations(source: string, task: Task): void {
  const problems: string[] = [];
  const check = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      problems.push(`${source}: ${error.message}`);
    }
  };
  check(() => checkOptimizer(task.optimizer, task, largestKappa(task.microBatchesPerStep)));
  check(() => checkSchedule(task.schedule));
  check(() => {
    if (task.labelSmoothing > 0 && task.loss !== "softmaxCrossEntropy") {
      invalid(
        `labelSmoothing is ${task.labelSmoothing}, but loss is "${task.loss}"; it is for "softmaxCrossEntropy" only.`,
      );
    }
  });
  check(() => {
    if (task.initialWeights === "model" && task.model.kind !== "module") {
      invalid('initialWeights is "model"; only a task module has a model with its own weights: use "seeded".');
    }
  });
  if (problems.length > 0) invalid(problems.join("\n"));
}

async function readInput(nameOrPath: string): Promise<unknown> {
  if (builtInTasks().includes(nameOrPath)) return readJson(resolve(PRESETS_FOLDER, `${nameOrPath}.json`), 0);
  const path = resolve(nameOrPath);
  if (!existsSync(path)) {
    return invalid(
      `There is no task "${nameOrPath}": it is neither a built-in one (${builtInTasks().join(", ")}) nor a file; ` +
        "name one of these, or the path of a .json or .js task file.",
    );
  }
  const extension = extname(path);
  if (extension === ".json") return readJson(path, 0);
  if (MODULE_EXTENSIONS.includes(extension)) return readModule(path);
  return invalid(
    `${nameOrPath} ends in "${extension}"; a task is a .json file, or a module ending in .js, .mjs, .cjs or .ts.`,
  );
}

const EXTENDS_MAX = 10;

/** A task file may say `"extends": "mnist"`, or name another file: its fields replace that one's. */
async function readJson(path: string, depth: number): Promise<unknown> {
  let input: unknown;
  try {
    input = JSON.parse(decodeUtf8(await readFile(path), path));
  } catch (error) {
    if (error instanceof IsobatchError) throw error;
    return invalid(`The task file ${path} can't be read: ${reasonOf(error)}.`, { cause: error });
  }
  return extend(fileSource(path), input, depth);
}

/** Where a task's fields are from. */
interface Source {
  /** Its name in messages. */
  readonly title: string;
  /** The task's name, unless a field gives one. */
  readonly name: string;
  /** Where its relative paths start. */
  readonly folder: string;
}

function fileSource(path: string): Source {
  return { title: path, name: basename(path, extname(path)), folder: dirname(path) };
}

async function extend({ title, name, folder }: Source, input: unknown, depth: number): Promise<unknown> {
  if (!isFields(input)) return input;
  const { extends: base, ...own } = input;
  const fields = { name, ...own, ...absolutePaths(folder, own.dataset) };
  if (base === undefined) return fields;
  if (typeof base !== "string") return invalid(`${title}: extends is ${JSON.stringify(base)}; it must name a task.`);
  if (depth === EXTENDS_MAX) return invalid(`${title}: extends goes ${EXTENDS_MAX} tasks deep; is it a circle?`);
  const builtIn = builtInTasks().includes(base);
  const basePath = builtIn ? resolve(PRESETS_FOLDER, `${base}.json`) : resolve(folder, base);
  if (!builtIn && !existsSync(basePath)) {
    return invalid(
      `${title}: extends names "${base}", which is neither a built-in task (${builtInTasks().join(", ")}) nor a file; name one.`,
    );
  }
  const inherited = await readJson(basePath, depth + 1);
  return isFields(inherited) ? { ...inherited, ...fields } : inherited;
}

/** A task file's paths are relative to its own folder. */
function absolutePaths(folder: string, dataset: unknown): { dataset?: unknown } {
  if (typeof dataset !== "object" || dataset === null) return {};
  const absolute = Object.entries(dataset as DatasetSpec).map(([key, value]) => [
    key,
    ["file", "testFile", "folder"].includes(key) && typeof value === "string" ? resolve(folder, value) : value,
  ]);
  return { dataset: Object.fromEntries(absolute) };
}

async function readModule(path: string): Promise<unknown> {
  const { hash, definition } = await loadModule(path);
  if (!isFields(definition)) {
    return invalid(`${path} has no task as its default export; write export default defineTask({ … }).`);
  }
  const input = (await extend(fileSource(path), definition, 0)) as { model?: unknown };
  return typeof input.model === "function" ? { ...input, model: { kind: "module", path, hash } } : input;
}
