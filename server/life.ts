import { IsobatchError, isFinal, messageOf } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import type { Assembled } from "./assemble.js";
import type { CleanUp } from "./clean-up.js";
import { outcomeError } from "./coordinator/index.js";
import { type RunDirectory, type Summary, writeSummary } from "./record/index.js";
import { recordFailure } from "./record-failure.js";
import { type SummarySource, summaryOf } from "./run-summary.js";

/** How a server ends: with its run, successfully or not, or at once. */
export interface Life {
  /** Resolves once the summary is written. Rejects with an IsobatchError if the run failed or was aborted. */
  readonly ended: Promise<RunEnd>;
  /** Like `ended`, but settled only after the server has shut down completely. */
  readonly finished: Promise<RunEnd>;
  /** Ends at once. */
  abort(): Promise<void>;
}

export interface RunEnd {
  readonly outcome: "complete" | "stopped";
  readonly summary: Summary;
}

export interface LifeOptions {
  readonly parts: Assembled;
  readonly source: SummarySource;
  /** Whether the server keeps answering after the run has ended, until `abort`. */
  readonly stay: boolean;
  /** Whether workers are to wait for the server to come back. */
  workersWait(): boolean;
  readonly cleanUp: CleanUp;
  readonly log: Logger;
}

export function startLife({ parts, source, stay, workersWait, cleanUp, log }: LifeOptions): Life {
  const { coordinator, supervisor, server, samples, metrics, observers } = parts;
  const { folder } = source.directory;
  const { aborted, abort } = createAbort(source.directory);

  async function runToItsEnd(): Promise<RunEnd> {
    let outcome: Awaited<typeof coordinator.ended>;
    try {
      outcome = await Promise.race([coordinator.ended, supervisor.failed, aborted]);
      if (!outcome.ok) throw outcomeError(outcome, samples, coordinator.state.mark.step);
    } catch (error) {
      // After an abort the workers wait for the server to come back: the run is not over.
      if (error instanceof IsobatchError && error.code === "interrupted") throw error;
      coordinator.showFailure(messageOf(error));
      announceEnd(parts, workersWait(), false, messageOf(error));
      recordFailure({ ...source, out: folder, metrics, log }, error);
      observers.ended();
      throw error;
    }
    announceEnd(parts, workersWait(), true, outcome.reason);
    const summary = summaryOf(source);
    writeSummary(folder, summary);
    observers.ended();
    return { outcome: outcome.reason, summary };
  }

  async function keepAnswering(): Promise<void> {
    // Shards have received the end of the run, and are not started again.
    await supervisor.stop();
    await aborted.catch(() => {});
  }

  const ended = runToItsEnd();
  const over = (async () => {
    try {
      const end = await ended;
      if (stay) await keepAnswering();
      return end;
    } catch (error) {
      if (stay && isFinal(error)) await keepAnswering();
      throw error;
    } finally {
      server.setServing(false);
    }
  })();
  const finished = over.then(
    async (end) => {
      await cleanUp.run();
      return end;
    },
    async (error: unknown) => {
      await cleanUp.runAfterFailure(log);
      throw error;
    },
  );
  // Any caller that starts the server awaits it; until then a failure must not be an unhandled rejection.
  finished.catch(() => {});

  return {
    ended,
    finished,
    async abort() {
      abort();
      await finished.catch(() => {});
    },
  };
}

/** Notifies everyone attached that the run has ended, except workers that are to wait for the server to come back. */
function announceEnd({ coordinator }: Assembled, workersWait: boolean, ok: boolean, reason: string): void {
  for (const { writer } of workersWait ? [] : coordinator.members.attached()) {
    // The worker ends its stream when it receives this; streams that are still open are cut off when the server shuts
    // down.
    writer?.write({ ended: { ok, reason } }).catch(() => {});
  }
  for (const link of coordinator.shards) link?.stop(reason);
}

function createAbort({ folder }: RunDirectory): { aborted: Promise<never>; abort: () => void } {
  let reject: (error: IsobatchError) => void = () => {};
  const aborted = new Promise<never>((_, fail) => {
    reject = fail;
  });
  aborted.catch(() => {});
  const why = `The run was stopped at once; the same command on ${folder} resumes it.`;
  return { aborted, abort: () => reject(new IsobatchError("interrupted", why)) };
}
