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
 * Writes the reason for a run's failure to its record and summary. If that is impossible, on a full disk or without a
 * readable checkpoint, it is left out: the reason itself is what matters.
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
