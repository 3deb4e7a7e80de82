export { type CoordinatorCore, createCoordinatorCore } from "./core.js";
export { newestFailure } from "./failures.js";
export type * from "./messages.js";
export type { CoordinatorOptions, CoordinatorState, Phase } from "./run.js";
export type { StageKind, WorkerState } from "./workers.js";
