export { backoffMs } from "./backoff.js";
export { createWorkerCore, type WorkerCore } from "./core.js";
export type {
  Attachment,
  Ending,
  EvaluationLease,
  FailureReport,
  StepLease,
  StepWork,
  WeightsVersion,
  Work,
  WorkerEffect,
  WorkerEvent,
  WorkerOutcome,
  WorkerReport,
} from "./messages.js";
