export { applyModel } from "./graph-call.js";
export { repairLayers } from "./layer-repairs.js";
export { repairPrediction } from "./prediction.js";
