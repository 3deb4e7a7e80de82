/** The backends by name, and how many threads a worker computes with on each. */

/** All backends, in the order in which they are tried: the fastest first. */
export const BACKEND_NAMES = ["tfjs-node-gpu", "tfjs-node", "wasm", "cpu"] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];

/** Whether a name is a backend's. */
export const isBackendName = (name: string): name is BackendName => BACKEND_NAMES.some((each) => each === name);

const COMPUTE_THREADS_MAX = 256;

/**
 * The number of threads that a worker computes with by default: one per core, divided among the workers that share the
 * machine's cores. On a GPU it is one: its operations keep the GPU busy, and each further thread takes memory there.
 */
export function defaultComputeThreads(backend: BackendName | undefined, cores: number, workers = 1): number {
  if (backend === "tfjs-node-gpu") return 1;
  return Math.min(COMPUTE_THREADS_MAX, Math.max(1, Math.floor(cores / workers)));
}
