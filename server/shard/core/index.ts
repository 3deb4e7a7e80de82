export * from "./core.js";
export type * from "./messages.js";
export { slotsMax } from "./slots.js";
