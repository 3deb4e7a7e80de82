export { type CoordinatorCore, createCoordinatorCore } from "./core.js";
export { newestFailure } from "./failures.js";
export type * from "./messages.js";
export type { CoordinatorCoreOptions, CoordinatorState, Phase } from "./run.js";
export type { StageKind, WorkerRecord } from "./workers.js";
