import { IsobatchError } from "../../shared/errors.js";
import type { ShardReportMessage, ShardTrafficMessage } from "../../shared/wire/index.js";
import type { MeasuredReport } from "./effects.js";
import type { CommitMeasures } from "./measures.js";
import type { ShardTraffic } from "./traffic.js";

/** A shard's reports as messages, both ways. */

/** @throws {IsobatchError} `invalid_input` for a message without a report. */
export function reportOf(message: ShardReportMessage): MeasuredReport {
  const { restored, restoreFailed, covered, superseded, committed, checkpointed } = message;
  if (restored !== undefined) return { kind: "restored", ...restored };
  if (restoreFailed !== undefined) return { kind: "restoreFailed", ...restoreFailed };
  if (covered !== undefined) return { kind: "covered", ...covered };
  if (superseded !== undefined) return { kind: "superseded", ...superseded };
  if (checkpointed !== undefined) {
    return { kind: "checkpointed", step: checkpointed.step, error: checkpointed.error || undefined };
  }
  if (committed === undefined) throw new IsobatchError("invalid_input", "A shard's report is empty.");
  const { term, step, ledger, losses, ...measured } = committed;
  return { kind: "committed", term, step, ledger, losses, measured };
}

/** The report of a failure that a restart of the shard would not fix. */
export function failureMessage({ code, message }: IsobatchError): ShardReportMessage {
  return { failed: { diverged: code === "diverged", reason: message } };
}

export function failureOf({ diverged, reason }: NonNullable<ShardReportMessage["failed"]>): IsobatchError {
  return new IsobatchError(diverged ? "diverged" : "exhausted", reason);
}

export function trafficMessage({ bytesReceived, bytesSent, rejected }: ShardTraffic): ShardReportMessage {
  const counts = [...rejected].map(([reason, pushes]) => ({ reason, pushes }));
  return { traffic: { bytesReceived, bytesSent, rejected: counts } };
}

export function trafficOf({ bytesReceived, bytesSent, rejected }: ShardTrafficMessage): ShardTraffic {
  return { bytesReceived, bytesSent, rejected: new Map(rejected.map(({ reason, pushes }) => [reason, pushes])) };
}

export function reportMessage(report: MeasuredReport): ShardReportMessage {
  switch (report.kind) {
    case "restored":
      return { restored: { term: report.term, mark: report.mark } };
    case "restoreFailed":
      return { restoreFailed: report };
    case "covered":
      return { covered: report };
    case "superseded":
      return { superseded: report };
    case "checkpointed":
      return { checkpointed: { step: report.step, error: report.error ?? "" } };
    case "committed": {
      const { term, step, ledger, losses, measured } = report;
      return { committed: { term, step, ledger, losses, ...(measured ?? UNMEASURED) } };
    }
  }
}

const UNMEASURED: CommitMeasures = { squaredNorms1: [], sums2: [], mergeMs: 0, applyMs: 0, bytesReceived: 0 };
