import type { WorkerReportMessage as Message } from "../shared/wire/index.js";
import type { WorkerReport } from "./core/index.js";

/** The core's reports as messages. */
export function reportMessage(report: WorkerReport): Message {
  switch (report.kind) {
    case "weightsHeld":
      return { weightsHeld: { term: report.term, version: report.version } };
    case "weightsLost":
      return { weightsLost: {} };
    case "leaseComputed": {
      const { lease, computeMs, samplesMs } = report;
      return { leaseComputed: { lease, computeMs, samplesMs } };
    }
    case "leaseFailed": {
      const { lease, microBatch, reason, nonFinite, transient } = report;
      return { leaseFailed: { lease, microBatch, reason, nonFinite, transient } };
    }
    case "evaluated": {
      const { term, version, firstBatch, lossSums, correct } = report;
      return { evaluated: { term, version, firstBatch, lossSums, correct, failed: "", transient: false } };
    }
    case "evaluationFailed": {
      const { term, version, firstBatch, reason, transient } = report;
      return { evaluated: { term, version, firstBatch, lossSums: [], correct: [], failed: reason, transient } };
    }
    case "leaving":
      return { leaving: { reason: report.reason } };
    case "failed":
      return { failed: { reason: report.reason, transient: report.transient } };
  }
}
