export { plainDifferences } from "./plain-check.js";
export { exportSafetensors } from "./safetensors.js";
export { exportTfjs } from "./tfjs.js";
