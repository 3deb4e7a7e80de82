/** The experiment `invariance`: trains the runs that are missing, then writes what all of them say. */
import { join } from "node:path";
import { readBackendSettings, readGraphics, visibleDevices, visibleGpus } from "../../backends/machine/index.js";
import { chooseBackendOffThread } from "../../compute/index.js";
import {
  type InvarianceSummary,
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
import { createRecordLog } from "../logging.js";
import { checkOptions } from "../options.js";
import { checkSignal } from "../run/abort.js";
import type { InvarianceOptions, InvarianceOutcome } from "../types/experiment.js";
import { type Configuration, configure } from "./configuration.js";
import { EXPERIMENT_FILES, openExperimentFolder } from "./folder.js";
import { trainRuns } from "./runners.js";

export async function invariance(options: InvarianceOptions): Promise<InvarianceOutcome> {
  checkOptions("invariance", options);
  const { signal = new AbortController().signal, settings, onProgress = () => {} } = options;
  checkSignal(signal, "The experiment");
  const configuration = await configure(options);
  const { name, task, protocol } = configuration;
  const runs = listRuns(task, protocol);
  const out = options.out ?? join("runs", `invariance-${name}`);
  const log = createRecordLog(options, "warn");
  const { name: backend, numerics: ofBackend } = await chooseBackendOffThread(
    options.backend,
    log,
    readBackendSettings(settings ?? {}),
  );
  const numerics = { ...ofBackend, flags: flagsIn(task.precision, ofBackend.flags) };
  const folder = openExperimentFolder(out, { task, protocol, numerics });
  try {
    const results = new Map(folder.results.map((result) => [result.key, result]));
    const missing = runs.filter(({ key }) => !results.has(key));
    // On GPUs one process each; with more of them, they share.
    const gpus = backend === "tfjs-node-gpu" ? visibleGpus(readGraphics(), visibleDevices()) : undefined;
    const processesMax = options.processes ?? gpus?.length ?? availableCores();
    const processes = Math.max(1, Math.min(processesMax, missing.length));
    onProgress({
      type: "started",
      name,
      task: task.name,
      ...titleOf(task, protocol),
      processes,
      backend,
      out,
      runs: runs.length,
      done: runs.length - missing.length,
      microBatches: protocol.microBatches,
    });
    let finished = 0;
    const report = (unfinished: number): void =>
      onProgress({ type: "progress", runsDone: results.size, microBatches: finished + unfinished });
    await trainRuns({
      runs: missing,
      processes,
      backend,
      gpus,
      settings,
      signal,
      onResult(result) {
        folder.append(result);
        results.set(result.key, result);
        finished += protocol.microBatches;
        report(0);
      },
      onProgress: report,
    });
    const done = runs.flatMap(({ key }) => results.get(key) ?? []);
    const summary = summarize(done);
    const complete = done.length === runs.length;
    if (complete) writeOutcome(out, configuration, numerics, done, summary);
    return {
      complete,
      runsDone: done.length,
      runs: runs.length,
      out,
      seconds: summary.seconds,
      report: complete ? join(out, EXPERIMENT_FILES.report) : undefined,
      cells: summary.cells.map(({ arm, kappa, learningRate, gap }) => ({
        arm,
        kappa,
        learningRate,
        gap: gap?.mean ?? null,
      })),
      floors: summary.floors.map(({ learningRate, order, repeat }) => ({
        learningRate,
        order: order?.mean ?? null,
        repeat,
      })),
    };
  } finally {
    folder.close();
  }
}

/** What is compared, as progress shows it. */
function titleOf(task: Task, { arms, kappas, learningRates, seeds }: Protocol) {
  const { microBatchSize, beta1, beta2 } = task;
  return { arms: arms.map(({ name }) => name), kappas, learningRates, seeds, microBatchSize, beta1, beta2 };
}

function writeOutcome(
  out: string,
  { name, task, protocol }: Configuration,
  numerics: object,
  results: readonly RunResult[],
  summary: InvarianceSummary,
): void {
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
}
