export { type GradientFlip, parseGradientFlip } from "./compute/index.js";
export { type RunningWorker, startWorker, type WorkerOptions, type WorkerOutcome } from "./worker.js";
