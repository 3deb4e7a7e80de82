export * from "./core.js";
export type * from "./messages.js";
