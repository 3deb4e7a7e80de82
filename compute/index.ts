export type { ComputedLease, Lease } from "./compute-lease.js";
export { HungThreadError, ThreadDeathError } from "./compute-thread.js";
export { createFold, type Fold, type FoldedNode, type FoldOperation, slotsNeeded } from "./fold.js";
export { type GradientFlip, parseGradientFlip } from "./gradient-flip.js";
export {
  createGradients,
  type Gradients,
  type GradientsOptions,
  type SampleBatch,
} from "./gradients.js";
export {
  attachMemory,
  createWorkerMemory,
  gradientAddresses,
  type MemoryPlan,
  type SharedMemory,
  sumAddresses,
  viewElements,
  type WorkerMemory,
  weightsAddresses,
} from "./memory.js";
export { NonFiniteError } from "./non-finite-error.js";
export { type ComputeOptions, type ComputePool, type ComputePoolOptions, createComputePool } from "./pool.js";
export type { Join } from "./protocol.js";
export type { FetchBatch } from "./sample-feed.js";
export { endThread } from "./stuck-threads.js";
export { createSums, type LeaseWeights, type Sums, WHOLE } from "./sums.js";
export { TooLargeError } from "./within-memory.js";
