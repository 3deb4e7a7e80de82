export { exportSafetensors } from "./safetensors.js";
export { exportTfjs } from "./tfjs.js";
