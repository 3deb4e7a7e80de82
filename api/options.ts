/** Checks the names and kinds of a call's options: a slip must not be taken for a default. */
import { invalid } from "../shared/errors.js";
import { suggestion } from "../shared/nearest.js";
import type { ElasticOptions, ExperimentBase, InvarianceOptions } from "./types/experiment.js";
import type { Logging } from "./types/log.js";
import type { EvaluateOptions, ExportOptions } from "./types/model.js";
import type { RunOptions, ServeOptions, TrainOptions } from "./types/run.js";
import type { JoinOptions } from "./types/worker.js";

/** What an option may be; undefined stands for the default of each. */
interface Kind {
  /** What it must be, as a message names it. */
  readonly name: string;
  fits(value: unknown): boolean;
}

/** The options by name; the compiler finds one that is missing. */
type Kinds<Options> = Readonly<Record<keyof Options, Kind>>;

const oneOf = (...choices: readonly (string | boolean)[]): Kind => ({
  name: choices.map((choice) => JSON.stringify(choice)).join(" or "),
  fits: (value) => choices.includes(value as string),
});
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What uses the option checks it, and knows its limits. */
const ANY: Kind = { name: "anything", fits: () => true };
const TEXT: Kind = { name: "a text that is not empty", fits: (value) => typeof value === "string" && value !== "" };
const FLAG = oneOf(true, false);
const SECONDS: Kind = { name: "a number of at least 0", fits: (value) => typeof value === "number" && value >= 0 };
const LIST: Kind = { name: "a list", fits: Array.isArray };
const OBJECT: Kind = { name: "an object", fits: isObject };
const CALLBACK: Kind = { name: "a function", fits: (value) => typeof value === "function" };
const SIGNAL: Kind = { name: "an AbortSignal", fits: (value) => isObject(value) && "aborted" in value };
const TRANSPORT = oneOf("auto", "memory", "wire");

const logging: Kinds<Logging> = { onLog: CALLBACK, logLevel: oneOf("debug", "info", "warn", "error", "silent") };

const run: Kinds<RunOptions> = {
  ...logging,
  out: TEXT,
  steps: ANY,
  samples: ANY,
  microBatchesPerStep: ANY,
  seed: ANY,
  data: TEXT,
  set: OBJECT,
  replayKappa: TEXT,
  extend: FLAG,
  shards: ANY,
  listen: TEXT,
  tls: {
    name: '"auto", true, false, or an object with files',
    fits: (value) => value === "auto" || typeof value === "boolean" || isObject(value),
  },
  dashboard: { name: "HOST:PORT or false", fits: (value) => value === false || TEXT.fits(value) },
  command: TEXT,
  commandLine: TEXT,
  trace: TEXT,
  checkpointEverySeconds: SECONDS,
  signal: SIGNAL,
  settings: OBJECT,
};

const experiment: Kinds<ExperimentBase> = {
  ...logging,
  out: TEXT,
  signal: SIGNAL,
  onProgress: CALLBACK,
  settings: OBJECT,
};

export const OPTIONS = {
  train: {
    ...run,
    workers: ANY,
    backend: TEXT,
    computeThreads: ANY,
    transport: TRANSPORT,
  } satisfies Kinds<TrainOptions>,
  serve: { ...run, advertise: TEXT, workersAwaited: ANY, tokenFile: TEXT, stay: FLAG } satisfies Kinds<ServeOptions>,
  join: {
    ...logging,
    token: ANY,
    signal: SIGNAL,
    backend: TEXT,
    gpu: ANY,
    computeThreads: ANY,
    data: TEXT,
    waitSeconds: SECONDS,
    reconnectSeconds: SECONDS,
    transport: TRANSPORT,
    tls: OBJECT,
    settings: OBJECT,
  } satisfies Kinds<JoinOptions>,
  evaluate: { backend: TEXT, settings: OBJECT } satisfies Kinds<EvaluateOptions>,
  exportModel: { format: ANY, out: TEXT } satisfies Kinds<ExportOptions>,
  invariance: {
    ...experiment,
    preset: ANY,
    task: TEXT,
    arms: LIST,
    kappa: LIST,
    lr: LIST,
    seeds: LIST,
    microBatches: ANY,
    evaluateEvery: ANY,
    evaluationSamples: ANY,
    beta1: ANY,
    beta2: ANY,
    weightDecay: ANY,
    precision: ANY,
    processes: ANY,
    backend: TEXT,
  } satisfies Kinds<InvarianceOptions>,
  elastic: {
    ...experiment,
    workers: LIST,
    arms: LIST,
    samples: ANY,
    lr: ANY,
    seed: ANY,
    backend: TEXT,
  } satisfies Kinds<ElasticOptions>,
} as const;

/** @throws {IsobatchError} `invalid_input` for an option that the call does not have, or that is of another kind */
export function checkOptions(call: keyof typeof OPTIONS, options: object): void {
  if (!isObject(options)) invalid(`The options of ${call}() are ${shown(options)}; they must be an object.`);
  const kinds: Readonly<Record<string, Kind>> = OPTIONS[call];
  const names = Object.keys(kinds);
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) {
      invalid(`${call}() has no option "${name}"; ${suggestion(name, names) ?? `it takes ${names.join(", ")}.`}`);
    }
    checkKind(name, value, kinds[name]);
  }
}

function checkKind(name: string, value: unknown, kind: Kind): void {
  if (value !== undefined && !kind.fits(value)) invalid(`${name} is ${shown(value)}; it must be ${kind.name}.`);
}

/** @throws {IsobatchError} `invalid_input` for an argument that is empty or not a text */
export function checkText(name: string, value: unknown): void {
  if (!TEXT.fits(value)) invalid(`${name} is ${shown(value)}; it must be ${TEXT.name}.`);
}

/** A value as a message quotes it. */
function shown(value: unknown): string {
  return typeof value === "number" || typeof value === "function"
    ? String(value)
    : (JSON.stringify(value) ?? String(value));
}

/** @throws {IsobatchError} `invalid_input` for another number */
export function checkWhole(name: string, value: number | undefined, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= max)) return;
  invalid(`${name} is ${value}; it must be a whole number from 1 to ${max}.`);
}
