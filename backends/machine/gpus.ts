/**
 * Which GPU a process computes on. TensorFlow.js uses one GPU per process, the first that it sees, but TensorFlow takes
 * memory on all that it sees: so each worker sees exactly one. GPUs are named as CUDA_VISIBLE_DEVICES names them, by
 * their UUIDs if the driver reports them, because CUDA's numbers depend on its settings.
 *
 * Everything is decided from the driver's files and CUDA_VISIBLE_DEVICES; CUDA is not loaded.
 */
import { invalid } from "../../shared/errors.js";
import type { Gpu, Graphics } from "./graphics.js";

/**
 * The GPUs that a process may use, each as CUDA_VISIBLE_DEVICES would name it.
 * @param variable CUDA_VISIBLE_DEVICES; undefined: all of them. As in CUDA, the list ends at the first name that names
 * none
 */
export function visibleGpus({ gpus }: Graphics, variable: string | undefined): string[] {
  if (variable === undefined) return gpus.map(({ uuid }, number) => uuid ?? String(number));
  const names = variable.split(",").map((name) => name.trim());
  const end = names.findIndex((name) => !isGpuName(name, gpus.length));
  return end < 0 ? names : names.slice(0, end);
}

/** Whether a name is the number of a GPU, the UUID of one or the start of it, or names an instance of one (MIG). */
function isGpuName(name: string, count: number): boolean {
  return /^\d+$/.test(name) ? Number(name) < count : /^(GPU|MIG)-/.test(name);
}

/**
 * The one GPU for this process: number `wanted` of those that are visible, or the first.
 * @returns undefined if none is visible and none was requested
 * @throws {IsobatchError} `invalid_input` if there is none with that number
 */
export function pinnedGpu(graphics: Graphics, variable: string | undefined, wanted?: number): string | undefined {
  const visible = visibleGpus(graphics, variable);
  if (wanted === undefined || wanted < visible.length) return visible[wanted ?? 0];
  const among = variable === undefined ? "" : ` that CUDA_VISIBLE_DEVICES ("${variable}") leaves`;
  const there = visible.length === 0 ? "there is none" : `there are 0 to ${visible.length - 1}`;
  return invalid(`--gpu is ${wanted}, but of the GPUs${among} ${there}; isobatch doctor lists them.`);
}

/**
 * A GPU for each of a machine's workers.
 * @param workers undefined: as many as there are GPUs.
 * @param variable CUDA_VISIBLE_DEVICES: a user who sets it decides what shares a GPU, so then there may be more workers
 * than GPUs, which are assigned in turn
 * @throws {IsobatchError} `invalid_input` if there are more workers than GPUs.
 */
export function gpusForWorkers(
  graphics: Graphics,
  variable: string | undefined,
  workers: number | undefined,
): string[] {
  const visible = visibleGpus(graphics, variable);
  const count = workers ?? Math.max(1, visible.length);
  if (visible.length === 0 || (count > visible.length && variable === undefined)) {
    return invalid(
      `--workers is ${count}, but this machine has ${visible.length} GPU${visible.length === 1 ? "" : "s"}, and a worker takes ` +
        "a whole one; ask for fewer workers, or name in CUDA_VISIBLE_DEVICES the GPUs that they share.",
    );
  }
  return Array.from({ length: count }, (_, worker) => visible[worker % visible.length]);
}

/** What the driver reports about the GPU that a name in CUDA_VISIBLE_DEVICES means; undefined for an instance (MIG). */
export function gpuNamed({ gpus }: Graphics, name: string): Gpu | undefined {
  if (/^\d+$/.test(name)) return gpus[Number(name)];
  const matching = gpus.filter(({ uuid }) => uuid?.startsWith(name));
  return matching.length === 1 ? matching[0] : undefined;
}
