/** `isobatch experiment invariance`: trains the runs that are missing, then writes what all of them say. */
import { join } from "node:path";
import { visibleGpus } from "../../backends/tensorflow/gpus.js";
import { readGraphics } from "../../backends/tensorflow/graphics.js";
import { chooseBackendOffThread } from "../../compute/choose-backend.js";
import {
  type Cell,
  type Floors,
  listRuns,
  type Protocol,
  type RunResult,
  renderInvariance,
  summarize,
  tableOf,
} from "../../experiment/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { makeFolders } from "../../shared/folders.js";
import { availableCores } from "../../shared/machine/index.js";
import { flagsIn } from "../../shared/precision.js";
import type { Task } from "../../tasks/index.js";
import type { Environment } from "../environment.js";
import { configure, type ExperimentOptions } from "../experiment/configuration.js";
import { EXPERIMENT_FILES, openExperimentFolder } from "../experiment/folder.js";
import { createProgress } from "../experiment/progress.js";
import { trainRuns } from "../experiment/runners.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { openLog } from "../log.js";
import { EXIT_BROKEN_PIPE, reportOnly } from "../output.js";
import { count, duration, plural } from "../progress/format.js";
import { table } from "../progress/table.js";

export interface InvarianceOptions extends ExperimentOptions {
  readonly out?: string;
  readonly processes?: number;
  readonly backend?: string;
}

/** Resolves with the process's exit code. */
export async function invariance(options: InvarianceOptions, environment: Environment): Promise<number> {
  const stopping = new AbortController();
  let exitCode = 0;
  // A run is kept when it is done, so there is nothing to wait for.
  const stop = (code: number) => (): void => {
    exitCode = code;
    stopping.abort();
  };
  const unlisten = onInterrupts({
    interrupt: stop(EXIT_INTERRUPTED),
    abort: () => process.exit(EXIT_INTERRUPTED),
    terminate: stop(0),
  });
  const unreport = reportOnly(stop(EXIT_BROKEN_PIPE));
  try {
    const { name, task, protocol } = await configure(options);
    const runs = listRuns(task, protocol);
    const out = options.out ?? join("runs", `invariance-${name}`);
    const log = openLog(environment, "warn");
    const { CUDA_VISIBLE_DEVICES: visibleDevices } = environment.variables;
    const { name: backend, numerics: ofBackend } = await chooseBackendOffThread(
      options.backend,
      log,
      environment.backendSettings,
    );
    const numerics = { ...ofBackend, flags: flagsIn(task.precision, ofBackend.flags) };
    const folder = openExperimentFolder(out, { task, protocol, numerics });
    try {
      const results = new Map(folder.results.map((result) => [result.key, result]));
      const missing = runs.filter(({ key }) => !results.has(key));
      // On GPUs one process each; with more of them, they share.
      const gpus = backend === "tfjs-node-gpu" ? visibleGpus(readGraphics(), visibleDevices) : undefined;
      const processesMax = options.processes ?? gpus?.length ?? availableCores();
      const processes = Math.max(1, Math.min(processesMax, missing.length));
      print(headline(name, task, protocol));
      print(
        `${plural(runs.length, "run")} of ${count(protocol.microBatches)} micro-batches, ` +
          `${count(runs.length - missing.length)} done before; ${processes} at once on ${backend}; results in ${out}`,
      );
      const progress = createProgress({
        stream: process.stdout,
        runs: runs.length,
        microBatches: missing.length * protocol.microBatches,
        nowMs: () => performance.now(),
      });
      let finished = 0;
      try {
        await trainRuns({
          ...{ runs: missing, processes, backend, gpus, environment, signal: stopping.signal },
          onResult(result) {
            folder.append(result);
            results.set(result.key, result);
            finished += protocol.microBatches;
            progress.show(results.size, finished);
          },
          onProgress: (microBatches) => progress.show(results.size, finished + microBatches),
        });
      } finally {
        progress.close();
      }
      const done = runs.flatMap(({ key }) => results.get(key) ?? []);
      if (done.length < runs.length) {
        print(`stopped with ${count(done.length)} of ${plural(runs.length, "run")} done; the same command goes on`);
        return exitCode;
      }
      writeOutcome(out, name, task, protocol, numerics, done);
    } finally {
      folder.close();
    }
    return exitCode;
  } finally {
    unlisten();
    unreport();
  }
}

function writeOutcome(
  out: string,
  name: string,
  task: Task,
  protocol: Protocol,
  numerics: object,
  results: readonly RunResult[],
): void {
  const summary = summarize(results);
  const { html, figures } = renderInvariance({ name, task, protocol, numerics, results, summary });
  writeFileDurably(
    join(out, EXPERIMENT_FILES.summary),
    `${JSON.stringify({ name, task, protocol, numerics, ...summary }, null, 2)}\n`,
  );
  writeFileDurably(join(out, EXPERIMENT_FILES.table), tableOf(summary));
  const figuresFolder = join(out, EXPERIMENT_FILES.figures);
  makeFolders(figuresFolder);
  for (const figure of figures) writeFileDurably(join(figuresFolder, `${figure.name}.svg`), figure.svg);
  writeFileDurably(join(out, EXPERIMENT_FILES.report), html);
  print(["", ...outcomeLines(summary.cells, summary.floors), ""].join("\n"));
  print(`${duration(summary.seconds)} of computing; report in ${join(out, EXPERIMENT_FILES.report)}`);
}

function headline(name: string, task: Task, { arms, kappas, learningRates, seeds }: Protocol): string {
  const list = (values: readonly unknown[]): string => values.join(", ");
  return [
    `${name}: ${task.name}, micro-batches of ${count(task.microBatchSize)}, β = (${task.beta1}, ${task.beta2})`,
    `arms ${list(arms.map((arm) => arm.name))}; κ = 1, ${list(kappas)}; η = ${list(learningRates)}; seeds ${list(seeds)}`,
  ].join("\n");
}

/** The gaps at the largest κ, and the floors. */
function outcomeLines(cells: readonly Cell[], floors: readonly Floors[]): string[] {
  const largest = Math.max(...cells.map(({ kappa }) => kappa));
  const number = (value: number | null | undefined): string => (value == null ? "–" : value.toExponential(2));
  const arms = [...new Set(cells.map(({ arm }) => arm))];
  const rates = floors.map(({ learningRate }) => learningRate);
  const cell = (arm: string, rate: number): Cell | undefined =>
    cells.find((one) => one.arm === arm && one.learningRate === rate && one.kappa === largest);
  return [
    `gap at κ = ${largest}: the mean over seeds of the largest |L_κ − L_1| / L_1`,
    ...table([
      ["η", ...rates.map(String)],
      ...arms.map((arm) => [arm, ...rates.map((rate) => number(cell(arm, rate)?.gap?.mean))]),
      ["κ = 1, another data order", ...floors.map(({ order }) => number(order?.mean))],
      ["κ = 1 again", ...floors.map(({ repeat }) => (repeat === 0 ? "0" : number(repeat)))],
    ]),
  ];
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
