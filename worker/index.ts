export { type GradientFlip, parseGradientFlip } from "../compute/index.js";
export { wouldRepeat } from "./engine.js";
export { type RunningWorker, startWorker, type WorkerOptions, type WorkerOutcome } from "./worker.js";
