export { readTable } from "./csv-table.js";
export * from "./dataset.js";
export * from "./open-data.js";
export { parseSavedForm, type SavedForm, sampleFormFromJson, savedFormJson } from "./sample-form.js";
