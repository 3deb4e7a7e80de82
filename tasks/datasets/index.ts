export * from "./dataset.js";
export * from "./open-data.js";
export { sampleFormFromJson } from "./sample-form.js";
