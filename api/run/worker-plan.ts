/** Which workers a cluster on one machine has, and what each computes with: decided before any of them is started. */
import {
  type BackendName,
  defaultComputeThreads,
  type Graphics,
  gpusForWorkers,
} from "../../backends/machine/index.js";

export interface WorkerPlanOptions {
  /** Default: 2; where they compute on GPUs, as many as there are. */
  readonly workers?: number;
  /** Threads of each worker. Default: the cores, divided among the workers; on a GPU, one. */
  readonly computeThreads?: number;
  /** Undefined: each worker chooses, and no GPU is among what it can choose from. */
  readonly backend: BackendName | undefined;
  readonly cores: number;
  readonly graphics: Graphics;
  /** CUDA_VISIBLE_DEVICES. */
  readonly visibleDevices: string | undefined;
}

export interface PlannedWorker {
  /** Undefined: it chooses. */
  readonly backend: BackendName | undefined;
  readonly computeThreads: number;
  /** CUDA_VISIBLE_DEVICES; undefined: as it is. */
  readonly visibleDevices: string | undefined;
}

export const WORKERS_DEFAULT = 2;

/** @throws {IsobatchError} `invalid_input` if there are more workers than GPUs for them. */
export function planWorkers(options: WorkerPlanOptions): PlannedWorker[] {
  const { workers, backend, cores, graphics, visibleDevices } = options;
  const gpus = backend === "tfjs-node-gpu" ? gpusForWorkers(graphics, visibleDevices, workers) : undefined;
  const count = gpus?.length ?? workers ?? WORKERS_DEFAULT;
  const threads = options.computeThreads ?? defaultComputeThreads(backend, cores, count);
  return Array.from({ length: count }, (_, worker) => ({
    backend,
    computeThreads: threads,
    visibleDevices: gpus?.[worker],
  }));
}
