import type { BackendName } from "./names.js";

const COMPUTE_THREADS_MAX = 256;

/**
 * How many threads a worker computes with unless it is told: one a core, where several workers share a machine's cores
 * their part of them. On a GPU it is one: its operations keep the GPU busy, and each further thread takes memory there.
 */
export function defaultComputeThreads(backend: BackendName | undefined, cores: number, workers = 1): number {
  if (backend === "tfjs-node-gpu") return 1;
  return Math.min(COMPUTE_THREADS_MAX, Math.max(1, Math.floor(cores / workers)));
}
