/**
 * What `train` and `serve` have in common: the first server process of a run, from the task to the summary, and every
 * way to end it.
 */
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.js";
import type { Logger } from "../../shared/log.js";
import type { Address } from "../../shared/wire/index.js";
import { createViewers, type HttpOptions } from "../../viewing/index.js";
import { createRecordLog } from "../logging.js";
import { memoryOptions } from "../memory-options.js";
import { taskOf } from "../task-of.js";
import type { RunOptions, TrainingResult, TrainingRun } from "../types/run.js";
import type { TaskSource } from "../types/task.js";
import { checkSignal, interrupted } from "./abort.js";
import { createNotices } from "./events.js";
import { afterRestore, outcomeBefore } from "./restored.js";
import { shardSpawner } from "./shards.js";
import { tlsRequest } from "./tls.js";
import { beginTrace } from "./trace.js";
import { createTrainingRun, type Workforce } from "./training-run.js";

/** What `train` and `serve` decide each for itself. */
export interface RunPlan {
  readonly listen: Address;
  readonly advertise?: Address;
  readonly dashboard: Pick<HttpOptions, "address" | "orAnyPort"> | undefined;
  readonly joinCommand: HttpOptions["joinCommand"];
  readonly workersAwaited: number;
  readonly tokenFile?: string;
  readonly stay?: boolean;
  readonly transport?: "auto" | "memory" | "wire";
  /** Starts the run's own workers, if it has any. `notice` is called with what becomes of their processes, a line each. */
  startWorkers?(server: RunningServer, notice: (message: string) => void, trace: string | undefined): Workforce;
}

export interface StartedRun {
  readonly run: TrainingRun;
  readonly server: RunningServer;
  readonly log: Logger;
}

/** The first step waits this long for the workers that are awaited, from the first that is ready. */
const AWAIT_MS = 60_000;

/** @throws {IsobatchError} for what is wrong with task, options or run directory; `interrupted` at the signal */
export async function startRun(source: TaskSource, options: RunOptions, plan: RunPlan): Promise<StartedRun> {
  const { signal, shards = 1, replayKappa, extend } = options;
  const { listen, dashboard, advertise, joinCommand, tokenFile: joinTokenFile, workersAwaited, stay = false } = plan;
  checkSignal(signal, "The run");
  const tls = tlsRequest(options.tls ?? "auto", { listen, dashboard: dashboard?.address, advertise });
  const log = createRecordLog(options, "warn");
  const trace = beginTrace(options.trace, log);
  const { task, model } = await taskOf(source, options);
  const out = options.out ?? join("runs", task.name);
  const startedAt = new Date().toISOString();
  const { observers, dashboard: shown } = createViewers(dashboard && { ...dashboard, joinCommand });
  const server = await startServer({
    task,
    model,
    out,
    listen,
    shards,
    tls,
    joinTokenFile,
    workersAwaited,
    stay,
    replayKappa,
    extend,
    log,
    awaitMs: AWAIT_MS,
    observers,
    command: options.commandLine,
    memory: memoryOptions(plan.transport, options.settings),
    spawnShard: shardSpawner({ ...options, out, request: tls, trace }),
  });
  const notices = createNotices();
  try {
    let before: TrainingResult | undefined;
    if (server.resumed) {
      await Promise.race([afterRestore(server), server.ended]);
      before = outcomeBefore(server, out);
    }
    if (signal?.aborted) throw interrupted(signal, "The run");
    const workforce = before === undefined ? plan.startWorkers?.(server, notices.add, trace) : undefined;
    const { checkpointEverySeconds } = options;
    const run = createTrainingRun({
      server,
      dashboard: shown?.url,
      out,
      startedAt,
      notices,
      before,
      workforce,
      stay,
      signal,
      checkpointEverySeconds,
    });
    return { run, server, log };
  } catch (error) {
    await server.abort();
    throw error;
  }
}
