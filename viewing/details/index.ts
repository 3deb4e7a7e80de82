export { type LayerSummary, layerSummaries } from "./layers.js";
export { type DetailGroup, epochsText, group, lengthText, taskDetails } from "./task-details.js";
