export * from "./layout.js";
export * from "./wire-format.js";
