import { IsobatchError } from "../../shared/errors.js";
import type {
  MergedRanges,
  ShardFailed__Output,
  ShardReport,
  ShardReport__Output,
  ShardTraffic__Output,
} from "../../shared/wire/index.js";
import type { MeasuredReport } from "./effects.js";
import type { ShardTraffic } from "./traffic.js";

/** A shard's reports as messages, both ways. */

/** @throws {IsobatchError} `invalid_input` for a message without a report. */
export function reportOf(message: ShardReport__Output): MeasuredReport {
  const { restored, restoreFailed, covered, superseded, committed, checkpointed } = message;
  if (restored != null) {
    const { term, noise, ...mark } = restored;
    return { kind: "restored", term, mark: { ...mark, ...(noise && { noise }) } };
  }
  if (restoreFailed != null) return { kind: "restoreFailed", ...restoreFailed };
  if (covered != null) return { kind: "covered", ...covered };
  if (superseded != null) return { kind: "superseded", ...superseded };
  if (checkpointed != null) {
    return { kind: "checkpointed", step: checkpointed.step, error: checkpointed.error || undefined };
  }
  if (committed == null) throw new IsobatchError("invalid_input", "A shard's report is empty.");
  const { term, step, ledger, losses, ...measured } = committed;
  return { kind: "committed", term, step, ledger, losses, measured };
}

/** A shard's end that no restart would mend. */
export function failureMessage({ code, message }: IsobatchError): ShardReport {
  return { failed: { diverged: code === "diverged", reason: message } };
}

export function failureOf({ diverged, reason }: ShardFailed__Output): IsobatchError {
  return new IsobatchError(diverged ? "diverged" : "exhausted", reason);
}

export function trafficMessage({ bytesReceived, bytesSent, rejected }: ShardTraffic): ShardReport {
  const counts = [...rejected].map(([reason, pushes]) => ({ reason, pushes }));
  return { traffic: { bytesReceived, bytesSent, rejected: counts } };
}

export function trafficOf({ bytesReceived, bytesSent, rejected }: ShardTraffic__Output): ShardTraffic {
  return { bytesReceived, bytesSent, rejected: new Map(rejected.map(({ reason, pushes }) => [reason, pushes])) };
}

export function reportMessage(report: MeasuredReport): ShardReport {
  switch (report.kind) {
    case "restored":
      return { restored: { term: report.term, ...report.mark } };
    case "restoreFailed":
      return { restoreFailed: report };
    case "covered":
      return { covered: report };
    case "superseded":
      return { superseded: report };
    case "checkpointed":
      return { checkpointed: { step: report.step, error: report.error ?? "" } };
    case "committed": {
      const { term, step, losses, measured } = report;
      const ledger = report.ledger.map(
        ({ firstChunk, endChunk, ranges }): MergedRanges => ({ firstChunk, endChunk, ranges: [...ranges] }),
      );
      return { committed: { term, step, ledger, losses: [...losses], ...measured } };
    }
  }
}
