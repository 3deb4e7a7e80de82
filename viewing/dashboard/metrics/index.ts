export { createRunMetrics, type RunMetrics } from "./metrics.js";
