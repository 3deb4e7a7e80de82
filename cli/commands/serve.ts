/**
 * What `isobatch run` and `isobatch server` have in common: the first server process of a run, from the task to the
 * summary, with all that a person sees of it and every way to end it.
 */
import { join } from "node:path";
import {
  RUN_FILES,
  type RunningServer,
  SECURITY_FOLDER,
  type ServerOptions,
  type Summary,
  startServer,
  type TlsRequest,
} from "../../server/index.js";
import { awaited } from "../../shared/awaited.js";
import { isFinal, messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import { type Address, formatAddress } from "../../shared/wire/index.js";
import { loadTask, type TaskOverrides } from "../../tasks/index.js";
import { createViewers, type HttpOptions } from "../../viewing/index.js";
import { startChild } from "../children/child.js";
import type { Environment } from "../environment.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { openLog, relayLog } from "../log.js";
import { createDisplay, type Display } from "../progress/display.js";
import { followRun } from "../progress/follow.js";
import { introLines, type RunStart } from "../progress/intro.js";
import { createLink } from "../progress/links.js";
import { type EndedRun, nextCommands, resultLines } from "../progress/result.js";
import { createPaint } from "../progress/view.js";
import { memoryOptions } from "../transport.js";
import { readSummary, whenRestored } from "./run-folder.js";
import { type ServerTlsOptions, tlsRequest } from "./server-tls.js";
import { stopOnSignals } from "./stop-on-signals.js";

/** As commander reads them from the command line. */
export interface ServeOptions extends ServerTlsOptions {
  readonly steps?: number;
  readonly samples?: number;
  readonly microBatchesPerStep?: TaskOverrides["microBatchesPerStep"];
  /** A run directory, or a kappa.jsonl, whose κ is taken step by step. */
  readonly replayKappa?: string;
  /** Whether a schedule that ends with the run may be stretched where the run is made longer. */
  readonly extend?: boolean;
  readonly seed?: number;
  /** Where the data set's files are, instead of where the task says. */
  readonly data?: string;
  readonly out?: string;
  /** Holds the join token, or is made to hold it. */
  readonly tokenFile?: string;
  /** Whether the server goes on answering when the run has ended, until it is asked to end. */
  readonly stay?: boolean;
  /** In seconds. */
  readonly checkpointEvery?: number;
  readonly shards: number;
  /** Where the dashboard and the metrics are served; false: nowhere. */
  readonly http?: Address | false;
  /** The file of the trace, which this process has begun. */
  readonly trace?: string;
}

/** What the commands decide each for itself. */
export interface Accompaniment {
  readonly workersAwaited: number;
  /** Worker processes that the command starts itself. */
  readonly workersStarted: number;
  readonly workersWait: boolean;
  readonly dashboard: Pick<HttpOptions, "address" | "orAnyPort"> | undefined;
  readonly joinCommand: HttpOptions["joinCommand"];
}

/** What a command adds to the server: workers of its own, or a line that says how to join. */
export interface Company {
  /** Rejects when the run can't go on without it; otherwise it never settles. */
  readonly failed: Promise<never>;
  /** Ends it; what has not ended within `graceMs` is killed. */
  stop(graceMs: number): Promise<void>;
}

export interface Serving {
  readonly server: RunningServer;
  /** The run directory. */
  readonly out: string;
  readonly display: Display;
  readonly log: Logger;
}

/** The first step waits so long for the workers that are awaited, from the first that is ready. */
const AWAIT_MS = 60_000;
/** Workers of a run that has ended get this long to end too. */
const GRACE_MS = 5_000;

/** Serves the task until it is trained or stopped; resolves with the process's exit code. */
export async function serve(
  taskName: string,
  options: ServeOptions & Accompaniment,
  environment: Environment,
  accompany: (serving: Serving) => Company,
): Promise<number> {
  const tls = tlsRequest(options);
  // Until there is a server nothing is lost by ending at once.
  const stopListening = onInterrupts({
    interrupt: () => process.exit(EXIT_INTERRUPTED),
    abort: () => process.exit(EXIT_INTERRUPTED),
    terminate: () => process.exit(0),
  });
  const { steps, samples, seed, microBatchesPerStep, data, replayKappa, extend } = options;
  const { listen, shards, workersAwaited, workersWait, stay } = options;
  const { tokenFile: joinTokenFile } = options;
  const task = await loadTask(taskName, { steps, samples, seed, microBatchesPerStep, data });
  const out = options.out ?? join("runs", task.name);
  const paint = createPaint(environment.color && process.stdout.isTTY === true);
  const link = createLink(environment.links && process.stdout.isTTY === true);
  const display = createDisplay(process.stdout, paint);
  const log = openLog(environment, "warn", display);
  const shardTls = shardTlsArguments(tls, options, out);
  const startedAt = new Date().toISOString();
  const { joinCommand } = options;
  const { observers, dashboard } = createViewers(options.dashboard && { ...options.dashboard, joinCommand });
  const server = await startServer({
    ...{
      task,
      out,
      listen,
      shards,
      tls,
      joinTokenFile,
      workersAwaited,
      awaitMs: AWAIT_MS,
      stay,
      observers,
      replayKappa,
      extend,
      memory: memoryOptions(environment),
      command: environment.commandLine,
      log,
    },
    spawnShard: (shard) => startShardProcess(shard, out, [...shardTls, ...traceArguments(options)], environment, log),
  });
  stopListening();
  const printResult = (outcome: EndedRun["outcome"], summary: Summary): void => {
    const { trainingSamples } = server.status();
    const result = { outcome, summary, folder: out, trainingSamples, program: environment.command };
    for (const line of resultLines(result, paint, link)) display.print(line);
    for (const line of nextCommands(result, paint)) display.printLine(line);
  };
  const ending = stopOnSignals(server, display, workersWait);
  let company: Company | undefined;
  let unfollow: (() => void) | undefined;
  const { checkpointEvery = 0 } = options;
  const checkpoints = checkpointEvery > 0 ? setInterval(server.checkpoint, checkpointEvery * 1_000) : undefined;
  try {
    if (server.resumed) {
      await Promise.race([whenRestored(server), server.ended]);
      const summary = resultOf(server, out);
      if (summary !== undefined) {
        printResult("already complete", summary);
        if (stay) await ending.requested;
        return 0;
      }
    }
    for (const line of introLines(startOf(server, dashboard?.url, out), RUN_FILES.report, paint, link))
      display.print(line);
    company = accompany({ server, out, display, log });
    // It may also fail while the run is ending for another reason, which then counts.
    company.failed.catch((error: unknown) => server.fail(error));
    unfollow = followRun(server, display, startedAt, options.workersStarted);
    const end = await awaited("the run to end", Promise.race([server.ended, company.failed, ending.abandoned]))
      .finally(() => {
        unfollow?.();
        unfollow = undefined;
      })
      .catch((error: unknown) => failed(error, stay === true, display, ending.requested));
    display.close();
    if (typeof end === "string") {
      display.print(`stopped at once: ${end}; the same command resumes it from the newest checkpoint`);
    } else {
      printResult(end.outcome, end.summary);
      if (stay) await ending.requested;
    }
    return ending.exitCode();
  } finally {
    clearInterval(checkpoints);
    unfollow?.();
    display.close();
    await awaited("the server to end", server.abort());
    if (company !== undefined) await awaited("the workers' processes to end", company.stop(GRACE_MS));
    ending.close();
  }
}

/** With --stay the server keeps answering after a failure that starting it again would only repeat. */
async function failed(error: unknown, stay: boolean, display: Display, requested: Promise<void>): Promise<never> {
  if (stay && isFinal(error)) {
    display.close();
    display.print(`${messageOf(error)} The server stays for status and results; when it is started again, it resumes.`);
    await requested;
  }
  throw error;
}

function startOf(
  { status, task, resumed, address }: RunningServer,
  dashboard: string | undefined,
  folder: string,
): RunStart {
  const now = status();
  return {
    ...now,
    task: task.name,
    folder,
    server: formatAddress(address),
    dashboard,
    resumedAt: resumed ? now.step : undefined,
  };
}

/** What came of a run that stands at the end of its task; undefined if there is something left to train. */
function resultOf({ task, status }: RunningServer, out: string): Summary | undefined {
  const summary = readSummary(out);
  // A run whose last evaluation failed has all its steps, and is not done.
  const ended = summary !== undefined && summary.samples >= task.samples && summary.steps === status().step;
  return ended && summary.failure == null ? summary : undefined;
}

function startShardProcess(
  { index, coordinator, listen, token }: Parameters<ServerOptions["spawnShard"]>[0],
  out: string,
  otherArguments: readonly string[],
  environment: Environment,
  log: Logger,
) {
  const places = ["--coordinator", formatAddress(coordinator), "--listen", formatAddress(listen), "--out", out];
  const { exited, kill } = startChild({
    args: ["shard", "--index", String(index), ...places, ...otherArguments],
    env: { ...environment.variables, ISOBATCH_TOKEN: token, ISOBATCH_LOG: environment.logLevel ?? "warn" },
    onLog: (record) => relayLog(log, `shard ${index}`, record),
  });
  return { exited: exited.then(({ reason }) => reason.replace(/\.$/, "")), kill };
}

/** For processes that belong to this one. */
export function traceArguments({ trace }: Pick<ServeOptions, "trace">): string[] {
  return trace === undefined ? [] : ["--trace", trace];
}

/** Shards show the workers the same certificate as the first process. */
function shardTlsArguments(tls: TlsRequest, { tlsCert, tlsKey, tlsCa }: ServeOptions, out: string): string[] {
  if (tls.kind === "none") return [];
  const own = (name: string): string => join(out, SECURITY_FOLDER, name);
  const pair = ["--tls-cert", tlsCert ?? own("server.crt"), "--tls-key", tlsKey ?? own("server.key")];
  return tlsCa === undefined ? pair : [...pair, "--tls-ca", tlsCa];
}
