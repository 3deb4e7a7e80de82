export { findRuns } from "./find-runs.js";
export { type JsonLines, openJsonLines, readJsonLines } from "./json-lines.js";
export { KAPPA_FILE, type KappaFile, openKappaRecord, readKappaRecord } from "./kappa-record.js";
export { acquireLock, type LockHolder, lockHolder } from "./lock.js";
export { type LossTrend, readLossTrend } from "./loss-trend.js";
export {
  type EvaluationLine,
  type EventLine,
  LEDGER_FILE,
  type LedgerLine,
  METRICS_FILE,
  type MetricsLine,
  openLedger,
  openMetrics,
  type RunRecord,
  type StepLine,
} from "./metrics.js";
export {
  type DataIdentity,
  type HeldRun,
  openRunDirectory,
  RUN_FILES,
  type RunContents,
  type RunDirectory,
  type RunDirectoryOptions,
  type RunIdentity,
  readRunDirectory,
} from "./run-directory.js";
export type { RunFacts } from "./run-facts.js";
export {
  isBetterScore,
  type RunCondition,
  type RunOverview,
  readRunOverview,
  type TestScore,
} from "./run-overview.js";
export { type Summary, type SummaryInputs, summarize, type WorkerShare, writeSummary } from "./summary.js";
