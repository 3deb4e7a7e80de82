/** Whether the options of a call are there are: a slip in a name must not be taken for a default. */
import { invalid } from "../shared/errors.js";
import { suggestion } from "../shared/nearest.js";
import type { ElasticOptions, ExperimentBase, InvarianceOptions } from "./types/experiment.js";
import type { Logging } from "./types/log.js";
import type { EvaluateOptions, ExportOptions } from "./types/model.js";
import type { RunOptions, ServeOptions, TrainOptions } from "./types/run.js";
import type { JoinOptions } from "./types/worker.js";

/** The names of the options; the compiler finds one that is missing. */
type Names<Options> = Readonly<Record<keyof Options, true>>;

const logging: Names<Logging> = { onLog: true, logLevel: true };

const run: Names<RunOptions> = {
  ...logging,
  out: true,
  steps: true,
  samples: true,
  microBatchesPerStep: true,
  seed: true,
  data: true,
  set: true,
  replayKappa: true,
  extend: true,
  shards: true,
  listen: true,
  tls: true,
  dashboard: true,
  command: true,
  commandLine: true,
  trace: true,
  checkpointEverySeconds: true,
  signal: true,
  settings: true,
};

const experiment: Names<ExperimentBase> = { ...logging, out: true, signal: true, onProgress: true, settings: true };

export const OPTIONS = {
  train: { ...run, workers: true, backend: true, computeThreads: true, transport: true } satisfies Names<TrainOptions>,
  serve: { ...run, advertise: true, workersAwaited: true, tokenFile: true, stay: true } satisfies Names<ServeOptions>,
  join: {
    ...logging,
    token: true,
    signal: true,
    backend: true,
    gpu: true,
    computeThreads: true,
    data: true,
    waitSeconds: true,
    reconnectSeconds: true,
    transport: true,
    tls: true,
    settings: true,
  } satisfies Names<JoinOptions>,
  evaluate: { backend: true, settings: true } satisfies Names<EvaluateOptions>,
  exportModel: { format: true, out: true } satisfies Names<ExportOptions>,
  invariance: {
    ...experiment,
    preset: true,
    task: true,
    arms: true,
    kappa: true,
    lr: true,
    seeds: true,
    microBatches: true,
    evaluateEvery: true,
    evaluationSamples: true,
    beta1: true,
    beta2: true,
    weightDecay: true,
    precision: true,
    processes: true,
    backend: true,
  } satisfies Names<InvarianceOptions>,
  elastic: {
    ...experiment,
    workers: true,
    arms: true,
    samples: true,
    lr: true,
    seed: true,
    backend: true,
  } satisfies Names<ElasticOptions>,
} as const;

/** @throws {IsobatchError} `invalid_input` for an option that the call does not have */
export function checkOptions(call: keyof typeof OPTIONS, options: object): void {
  const names = Object.keys(OPTIONS[call]);
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    invalid(`${call}() has no option "${name}"; ${suggestion(name, names) ?? `it takes ${names.join(", ")}.`}`);
  }
}

/** @throws {IsobatchError} `invalid_input` for another number */
export function checkWhole(name: string, value: number | undefined, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= max)) return;
  invalid(`${name} is ${value}; it must be a whole number from 1 to ${max}.`);
}
