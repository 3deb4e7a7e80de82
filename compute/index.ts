/**
 * A worker's computing, as its main thread sees it: a pool of compute threads, the memories that they share with it,
 * and the order in which gradients are folded. Nothing here loads TensorFlow.js, which only threads need; what they
 * compute with, and what computes without threads, is behind `compute/gradients/`.
 */
export { type ChosenBackend, chooseBackendOffThread } from "./choose-backend.js";
export type { ComputedLease, Lease } from "./compute-lease.js";
export { HungThreadError, NonFiniteError, ThreadDeathError, TooLargeError } from "./errors.js";
export { createFold, type Fold, type FoldedNode, type FoldOperation, slotsNeeded } from "./fold.js";
export { type GradientFlip, parseGradientFlip } from "./gradient-flip.js";
export type { SampleBatch } from "./gradients/index.js";
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
export { type ComputeOptions, type ComputePool, type ComputePoolOptions, createComputePool } from "./pool.js";
export type { Join } from "./protocol.js";
export type { FetchBatch } from "./sample-feed.js";
export { createSums, type LeaseCoefficients, type Sums, WHOLE } from "./sums.js";
