/** Which workers a cluster on one machine has, and what each computes with: decided before any of them is started. */
import { type BackendName, defaultComputeThreads } from "../backends/index.js";
import { gpusForWorkers } from "../backends/tensorflow/gpus.js";
import type { Graphics } from "../backends/tensorflow/graphics.js";

export interface WorkerPlanOptions {
  /** Default: 2; where they compute on GPUs, as many as there are. */
  readonly workers?: number;
  /** Of each. Default: the cores, divided among the workers; on a GPU, one. */
  readonly computeThreads?: number;
  /** Undefined: each worker chooses, and no GPU is among what it can choose from. */
  readonly backend: BackendName | undefined;
  readonly cores: number;
  readonly graphics: Graphics;
  /** CUDA_VISIBLE_DEVICES. */
  readonly visibleDevices: string | undefined;
}

export interface PlannedWorker {
  /** Options of `isobatch worker join`. */
  readonly args: readonly string[];
  /** What is different in its environment. */
  readonly env: Readonly<Record<string, string>>;
}

export const WORKERS_DEFAULT = 2;

/** @throws {IsobatchError} `invalid_input` if there are more workers than GPUs for them. */
export function planWorkers(options: WorkerPlanOptions): PlannedWorker[] {
  const { workers, backend, cores, graphics, visibleDevices } = options;
  const gpus = backend === "tfjs-node-gpu" ? gpusForWorkers(graphics, visibleDevices, workers) : undefined;
  const count = gpus?.length ?? workers ?? WORKERS_DEFAULT;
  const threads = options.computeThreads ?? defaultComputeThreads(backend, cores, count);
  const args = ["--compute-threads", String(threads), ...(backend === undefined ? [] : ["--backend", backend])];
  return Array.from({ length: count }, (_, worker): PlannedWorker => {
    return { args, env: gpus === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpus[worker] } };
  });
}
