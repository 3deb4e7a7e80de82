import { IsobatchError, messageOf } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import { type MetricsLine, type RunRecord, writeSummary } from "./record/index.js";
import { type SummarySource, summaryOf } from "./run-summary.js";

export interface FailedRun extends SummarySource {
  /** The run directory. */
  readonly out: string;
  readonly metrics: Pick<RunRecord<MetricsLine>, "append">;
  readonly log: Logger;
}

/**
 * Leaves the reason why a run has failed in its record and summary. What can't be written, on a full disk or
 * without a checkpoint that can be read, is left out: the run's own reason is what matters.
 */
export function recordFailure({ out, metrics, log, ...source }: FailedRun, error: unknown): void {
  const reason = messageOf(error);
  const code = error instanceof IsobatchError ? error.code : "bug";
  const write = [
    () => metrics.append({ type: "event", event: "failed", at: new Date().toISOString(), code, reason }),
    () => writeSummary(out, summaryOf(source, { code, reason })),
  ];
  for (const each of write) {
    try {
      each();
    } catch (cause) {
      log.warn(`The record of how the run ended is incomplete. ${messageOf(cause)}`);
    }
  }
}
