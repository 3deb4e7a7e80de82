/** What `isobatch run` and `isobatch server` have in common: what a person sees of a run, and every way to end it. */
import type { LogRecord, RunOptions, TrainingResult, TrainingRun } from "../../index.js";
import { RUN_FILES } from "../../server/index.js";
import { awaited } from "../../shared/awaited.js";
import { isFinal, messageOf } from "../../shared/errors.js";
import { type Address, formatAddress } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { openLog, relayRecord } from "../log.js";
import { createDisplay, type Display } from "../progress/display.js";
import { followRun } from "../progress/follow.js";
import { introLines, type RunStart } from "../progress/intro.js";
import { createLink, type Linker } from "../progress/links.js";
import { nextCommands, resultLines } from "../progress/result.js";
import { createPaint, type Paint } from "../progress/view.js";
import { type ServerTlsFlags, tlsChoice } from "./server-tls.js";
import { stopOnSignals } from "./stop-on-signals.js";

/** As commander reads them from the command line. */
export interface ServeFlags extends ServerTlsFlags {
  readonly steps?: number;
  readonly samples?: number;
  readonly microBatchesPerStep?: RunOptions["microBatchesPerStep"];
  /** A run directory, or a kappa.jsonl, whose κ is taken step by step. */
  readonly replayKappa?: string;
  /** Whether a schedule that ends with the run may be stretched where the run is made longer. */
  readonly extend?: boolean;
  readonly seed?: number;
  /** The data set's folder or file, instead of the task's. */
  readonly data?: string;
  /** Values of the task's fields. */
  readonly set?: RunOptions["set"];
  readonly out?: string;
  readonly listen: Address;
  readonly shards: number;
  /** Where the dashboard and the metrics are served; false: nowhere. */
  readonly http?: Address | false;
  /** The file of the trace, which this process has started. */
  readonly trace?: string;
}

/** Where a command that runs something reports on it. */
export interface Report {
  /** How this program is called, for the commands that may follow. */
  readonly program: string;
  readonly paint: Paint;
  readonly link: Linker;
  readonly display: Display;
  readonly onLog: (record: LogRecord) => void;
}

export function openReport(environment: Environment): Report {
  const paint = createPaint(environment.color && process.stdout.isTTY === true);
  const link = createLink(environment.links && process.stdout.isTTY === true);
  const display = createDisplay(process.stdout, paint);
  const log = openLog(environment, "warn", display);
  return { program: environment.command, paint, link, display, onLog: (record) => relayRecord(log, record) };
}

/** The library's options. @throws {IsobatchError} `invalid_input` for flags that contradict each other */
export function runOptions(flags: ServeFlags, environment: Environment, { onLog }: Report): RunOptions {
  const { steps, samples, seed, microBatchesPerStep, data, set, out, replayKappa, extend, shards, trace } = flags;
  return {
    steps,
    samples,
    seed,
    microBatchesPerStep,
    data,
    set,
    out,
    replayKappa,
    extend,
    shards,
    trace,
    listen: formatAddress(flags.listen),
    tls: tlsChoice(flags),
    command: environment.command,
    commandLine: environment.commandLine,
    settings: environment.variables,
    onLog,
    logLevel: environment.logLevel ?? "warn",
  };
}

export interface FollowOptions {
  /** Worker processes that the command starts itself. Default: 0. */
  readonly workersStarted?: number;
  /** On SIGTERM workers wait for the server to come back. */
  readonly workersWait?: boolean;
  /** Whether the server keeps answering when the run has ended. */
  readonly stay?: boolean;
  /** Prints further lines, such as the join command, once the run has started. */
  announce?(): void;
}

/** Shows a run until it has ended or is stopped; resolves with the process's exit code. */
export async function follow(run: TrainingRun, report: Report, options: FollowOptions = {}): Promise<number> {
  const { display } = report;
  const { workersWait = false, stay = false } = options;
  const ending = stopOnSignals(run, display, workersWait);
  const following = run.alreadyComplete ? undefined : showStart(run, report, options);
  try {
    const end = await awaited("the run to end", Promise.race([run.result, ending.abandoned]))
      .finally(() => following?.close())
      .catch((error: unknown) => failed(error, stay, display, ending.requested));
    display.close();
    if (typeof end === "string") {
      display.print(`stopped at once: ${end}; the same command resumes it from the newest checkpoint`);
    } else {
      printResult(run, end, report);
      if (stay) await ending.requested;
    }
    return ending.exitCode();
  } finally {
    display.close();
    await run.abort();
    ending.close();
  }
}

function showStart(run: TrainingRun, report: Report, { announce, workersStarted }: FollowOptions) {
  const { display, paint, link } = report;
  for (const line of introLines(startOf(run), RUN_FILES.report, paint, link)) display.print(line);
  announce?.();
  return followRun(run, display, workersStarted);
}

function startOf(run: TrainingRun): RunStart {
  const { model, trainingSamples, testSamples, samplesTotal, step } = run.status();
  return {
    modelKind: model.kind,
    modelLayers: model.layers,
    parameters: model.parameters,
    trainedParameters: model.trainedParameters,
    trainingSamples,
    testSamples,
    samplesTotal,
    task: run.task,
    folder: run.out,
    server: run.address,
    dashboard: run.dashboard,
    resumedAt: run.resumed ? step : undefined,
  };
}

function printResult(run: TrainingRun, { outcome, summary }: TrainingResult, report: Report): void {
  const { display, paint, link, program } = report;
  const { trainingSamples } = run.status();
  const result = { outcome, summary, folder: run.out, trainingSamples, program };
  for (const line of resultLines(result, paint, link)) display.print(line);
  if (summary.steps === 0) return;
  for (const line of nextCommands(result, paint)) display.printLine(line);
}

/** With --stay the server keeps answering after a failure that a restart would only repeat. */
async function failed(error: unknown, stay: boolean, display: Display, requested: Promise<void>): Promise<never> {
  if (stay && isFinal(error)) {
    display.close();
    display.print(`${messageOf(error)} The server stays for status and results; a restart resumes the run.`);
    await requested;
  }
  throw error;
}
