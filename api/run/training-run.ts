import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "../../server/index.js";
import { METRICS_FILE } from "../../server/record/index.js";
import { awaited } from "../../shared/awaited.js";
import { formatAddress } from "../../shared/wire/index.js";
import type { StopOptions, TrainingResult, TrainingRun } from "../types/run.js";
import type { RunStatus } from "../types/status.js";
import { onSignal } from "./abort.js";
import { type Notices, runEvents } from "./events.js";
import { runStatus } from "./status.js";

/** Worker processes that belong to a run. */
export interface Workforce {
  /** Rejects when the run can't continue without it; otherwise it never settles. */
  readonly failed: Promise<never>;
  /** How many processes it has. */
  readonly count: number;
  /** Ends it; what has not ended within `graceMs` is killed. */
  stop(graceMs: number): Promise<void>;
}

export interface TrainingRunOptions {
  readonly server: RunningServer;
  /** The dashboard's URL, if there is one. */
  readonly dashboard: string | undefined;
  /** The run directory. */
  readonly out: string;
  /** ISO 8601, before the server was started. */
  readonly startedAt: string;
  readonly notices: Notices;
  /** What came of the run before: there is nothing left to train. */
  readonly before: TrainingResult | undefined;
  readonly workforce: Workforce | undefined;
  /** Whether the server stays when the run has ended, until it is stopped. */
  readonly stay: boolean;
  readonly signal: AbortSignal | undefined;
  readonly checkpointEverySeconds: number | undefined;
}

/** Workers of a run that has ended get this long to end too. */
const GRACE_MS = 5_000;
const POLL_MS = 20;

/** A server and its workers as one run, which ends them with it. */
export function createTrainingRun(options: TrainingRunOptions): TrainingRun {
  const { server, out, startedAt, notices, before, workforce, signal, checkpointEverySeconds = 0 } = options;
  let staysOpen = options.stay;
  let isOver = false;
  const timer = checkpointEverySeconds > 0 ? setInterval(server.checkpoint, checkpointEverySeconds * 1_000) : undefined;
  // It may also fail while the run is ending for another reason, which then counts.
  workforce?.failed.catch((error: unknown) => server.fail(error));

  let closing: Promise<void> | undefined;
  const endAll = async (): Promise<void> => {
    clearInterval(timer);
    await awaited("the server to end", server.abort());
    if (workforce !== undefined) await awaited("the workers' processes to end", workforce.stop(GRACE_MS));
  };
  const close = (): Promise<void> => {
    closing ??= endAll();
    return closing;
  };

  const toItsEnd = async (): Promise<TrainingResult> => {
    try {
      if (before !== undefined) return before;
      const failed = workforce === undefined ? [] : [workforce.failed];
      return await awaited("the run to end", Promise.race([server.ended, ...failed]));
    } finally {
      isOver = true;
      if (!staysOpen) await close();
    }
  };
  const result = toItsEnd();
  const settled = result.then(
    () => {},
    // Awaiting the result shows the reason; where nobody does, it must not count as an unhandled rejection.
    () => {},
  );
  const stop = (how?: StopOptions): Promise<TrainingResult> => {
    staysOpen = false;
    if (isOver) void close();
    else server.stop({ workersWait: how?.workersWait ?? false });
    return result;
  };
  const unlisten = onSignal(signal, () => void stop());
  void settled.then(unlisten);

  const status = (): RunStatus => runStatus(server.status());
  const checkpoint = async (): Promise<number> => {
    const { step } = status();
    server.checkpoint();
    for (;;) {
      const { checkpointStep } = status();
      if (checkpointStep !== null && checkpointStep >= step) return checkpointStep;
      if (isOver) {
        const { summary } = await result;
        return summary.steps;
      }
      await sleep(POLL_MS);
    }
  };

  return {
    id: server.runId,
    task: server.task.name,
    out,
    resumed: server.resumed,
    alreadyComplete: before !== undefined,
    workersStarted: workforce?.count ?? 0,
    address: formatAddress(server.address),
    dashboard: options.dashboard,
    result,
    status,
    events: (which) =>
      runEvents({ metrics: server.metrics, path: join(out, METRICS_FILE), startedAt, notices, ended: settled }, which),
    checkpoint,
    stop,
    async abort() {
      staysOpen = false;
      await close();
      await settled;
    },
  };
}
