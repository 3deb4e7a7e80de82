export * from "./dataset.js";
export * from "./open-data.js";
