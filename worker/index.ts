export { type GradientFlip, parseGradientFlip } from "../compute/index.js";
export type { WorkerActivity } from "./activity.js";
export { type Engine, wouldRepeat } from "./engine.js";
export { type Joined, join } from "./join.js";
export { createBatches } from "./samples.js";
export { openSession, type Session } from "./session.js";
export {
  type RunningWorker,
  startWorker,
  type WorkerOptions,
  type WorkerOutcome,
  type WorkerSamples,
} from "./worker.js";
