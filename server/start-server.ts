import { hostname } from "node:os";
import type { Address, Status } from "../shared/wire/index.js";
import type { Task } from "../tasks/index.js";
import { assemble } from "./assemble.js";
import { createCleanUp } from "./clean-up.js";
import { type RunEnd, startLife } from "./life.js";
import { openRun } from "./open-run.js";
import type { MetricsLine, RunRecord } from "./record/index.js";
import type { Security } from "./security/index.js";
import type { ServerOptions } from "./server-options.js";

export interface RunningServer {
  /** The address with the actual port. */
  readonly address: Address;
  readonly runId: string;
  /** Whether the directory held this run before. */
  readonly resumed: boolean;
  readonly task: Task;
  readonly metrics: Pick<RunRecord<MetricsLine>, "subscribe">;
  /** Tokens and the certificate. */
  readonly security: Security;
  status(): Status;
  /** Whether a worker of this machine has computed anything that was committed. */
  hasWorked(processId: number): boolean;
  /**
   * Ends after the open step and a checkpoint. With `workersWait`, workers are not notified of the run's end, so that
   * they wait for the server to come back.
   */
  stop(options?: { workersWait: boolean }): void;
  /** Ends the run with this error, which is sent to its workers and recorded in its run directory. */
  fail(error: unknown): void;
  /** Writes a checkpoint after the open step. */
  checkpoint(): void;
  /** Ends at once; the run's state is its newest checkpoint. */
  abort(): Promise<void>;
  /** Resolves once the summary is written. Rejects with an IsobatchError if the run failed or was aborted. */
  readonly ended: Promise<RunEnd>;
  /** Like `ended`, but settled only after the server has shut down completely. */
  readonly finished: Promise<RunEnd>;
}

/** Starts the first server process of a run: the coordinator and shard 0. It starts the other shards as processes. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const cleanUp = createCleanUp();
  try {
    const run = await openRun(options, cleanUp);
    const startedAt = performance.now();
    const { directory } = run;
    const { task } = run.prepared;
    const { runId } = directory.identity;
    const log = options.log.child({ run: runId });
    let waiting = false;
    const workersWait = (): boolean => waiting;
    const parts = await assemble(options, run, log, cleanUp, workersWait);
    const { coordinator, address, metrics, security, status } = parts;
    const source = { task, directory, coordinator, startedAt };
    const life = startLife({ parts, source, stay: options.stay ?? false, workersWait, cleanUp, log });
    return {
      address,
      runId,
      task,
      metrics,
      security,
      status,
      ...life,
      resumed: directory.resumed,
      hasWorked: (processId) => coordinator.members.hasWorked(hostname(), processId),
      stop(how) {
        waiting = how?.workersWait ?? false;
        coordinator.dispatch({ kind: "stop" });
      },
      fail: (error) => coordinator.fail(error),
      checkpoint: () => coordinator.dispatch({ kind: "checkpointNow" }),
    };
  } catch (error) {
    await cleanUp.runAfterFailure(options.log);
    throw error;
  }
}
