export type * from "./steps.js";
