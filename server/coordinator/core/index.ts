export * from "./core.js";
export type * from "./messages.js";
export type { WorkerState } from "./workers.js";
