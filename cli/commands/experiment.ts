/** `isobatch experiment invariance`: trains the runs that are missing, and prints the results of all of them. */
import {
  type ExperimentProgress,
  experiment,
  type InvarianceOptions,
  type InvarianceOutcome,
  type InvarianceStarted,
} from "../../index.js";
import type { Environment } from "../environment.js";
import { createProgress, type ExperimentBar } from "../experiment/progress.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { openLog, relayRecord } from "../log.js";
import { EXIT_BROKEN_PIPE, reportOnly } from "../output.js";
import { count, duration, plural } from "../progress/format.js";
import { table } from "../progress/table.js";

/** As commander reads them from the command line. */
export type InvarianceFlags = Omit<InvarianceOptions, "signal" | "settings" | "onProgress" | "onLog" | "logLevel">;

/** Resolves with the process's exit code. */
export async function invariance(flags: InvarianceFlags, environment: Environment): Promise<number> {
  const stopping = new AbortController();
  let exitCode = 0;
  // Completed runs are kept, so there is nothing to wait for.
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
  const log = openLog(environment, "warn");
  let bar: ExperimentBar | undefined;
  try {
    const outcome = await experiment("invariance", {
      ...flags,
      signal: stopping.signal,
      settings: environment.variables,
      logLevel: environment.logLevel ?? "warn",
      onLog: (record) => relayRecord(log, record),
      onProgress(progress: ExperimentProgress) {
        if (progress.type === "started") bar = start(progress);
        if (progress.type === "progress") bar?.show(progress.runsDone, progress.microBatches);
      },
    }).finally(() => bar?.close());
    const { complete, runsDone, runs } = outcome;
    if (complete) print(outcomeLines(outcome).join("\n"));
    else
      print(`stopped with ${count(runsDone)} of ${plural(runs, "run")} done; the same command resumes the experiment`);
    return exitCode;
  } finally {
    unlisten();
    unreport();
  }
}

function start(started: InvarianceStarted): ExperimentBar {
  const { name, task, arms, kappas, learningRates, seeds, microBatchSize, beta1, beta2 } = started;
  const { runs, done, microBatches, processes, backend, out } = started;
  const list = (values: readonly unknown[]): string => values.join(", ");
  print(`${name}: ${task}, micro-batches of ${count(microBatchSize)}, β = (${beta1}, ${beta2})`);
  print(`arms ${list(arms)}; κ = 1, ${list(kappas)}; η = ${list(learningRates)}; seeds ${list(seeds)}`);
  print(
    `${plural(runs, "run")} of ${count(microBatches)} micro-batches, ` +
      `${count(done)} done before; ${processes} at once on ${backend}; results in ${out}`,
  );
  return createProgress({
    stream: process.stdout,
    runs,
    microBatches: (runs - done) * microBatches,
    nowMs: () => performance.now(),
  });
}

/** The gaps at the largest κ, the floors, and where the report is. */
function outcomeLines({ cells, floors, seconds, report }: InvarianceOutcome): string[] {
  const largest = Math.max(...cells.map(({ kappa }) => kappa));
  const number = (value: number | null | undefined): string => (value == null ? "–" : value.toExponential(2));
  const arms = [...new Set(cells.map(({ arm }) => arm))];
  const rates = floors.map(({ learningRate }) => learningRate);
  const gap = (arm: string, rate: number): number | null | undefined =>
    cells.find((one) => one.arm === arm && one.learningRate === rate && one.kappa === largest)?.gap;
  return [
    "",
    `gap at κ = ${largest}: the mean over seeds of the largest |L_κ − L_1| / L_1`,
    ...table([
      ["η", ...rates.map(String)],
      ...arms.map((arm) => [arm, ...rates.map((rate) => number(gap(arm, rate)))]),
      ["κ = 1, another data order", ...floors.map(({ order }) => number(order))],
      ["κ = 1 again", ...floors.map(({ repeat }) => (repeat === 0 ? "0" : number(repeat)))],
    ]),
    "",
    `computed for ${duration(seconds)}; report in ${report}`,
  ];
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
