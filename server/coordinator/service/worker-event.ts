import { stripVTControlCharacters } from "node:util";
import type { WorkerReportMessage } from "../../../shared/wire/index.js";
import type { CoordinatorEvent } from "../core/index.js";

const REASON_LENGTH_MAX = 1_000;

/** A worker's report as the core's event; undefined if it is none. */
export function workerEvent(worker: string, report: WorkerReportMessage): CoordinatorEvent | undefined {
  const { heartbeat, weightsHeld, weightsLost, leaseComputed, leaseFailed, evaluated, leaving, failed } = report;
  if (heartbeat != null) return { kind: "heartbeat", worker };
  if (weightsHeld != null) return { kind: "weightsHeld", worker, ...weightsHeld };
  if (weightsLost != null) return { kind: "weightsLost", worker };
  if (leaseComputed != null) {
    const { lease, computeMs } = leaseComputed;
    return { kind: "leaseComputed", worker, lease, computeMs };
  }
  if (leaseFailed != null) {
    const { lease, nonFinite, transient } = leaseFailed;
    const microBatch = nonFinite ? leaseFailed.microBatch : undefined;
    const reason = wordsOf(leaseFailed.reason);
    return { kind: "leaseFailed", worker, lease, nonFinite, reason, microBatch, transient };
  }
  if (evaluated != null) {
    const { term, version, firstBatch, lossSums, correct, failed: reason, transient } = evaluated;
    if (reason !== "") {
      return { kind: "evaluationFailed", worker, version, reason: wordsOf(reason), transient };
    }
    return { kind: "evaluated", worker, term, version, firstBatch, lossSums, correct };
  }
  if (leaving != null) return { kind: "workerLeaving", worker };
  if (failed != null) {
    const { reason, transient } = failed;
    return { kind: "workerFailed", worker, reason: wordsOf(reason), transient };
  }
  return undefined;
}

/** A worker's reason as text for people: on one line, without control sequences that would move a terminal's cursor. */
function wordsOf(reason: string): string {
  const words = stripVTControlCharacters(reason)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return words === "" ? "it gives no reason" : words.slice(0, REASON_LENGTH_MAX);
}
