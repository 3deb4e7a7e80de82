export { elastic } from "./elastic.js";
export { invariance } from "./invariance.js";
