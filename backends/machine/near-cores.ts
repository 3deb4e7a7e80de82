/**
 * Which of a machine's cores are near a GPU. On a machine with several memory nodes (sockets, or parts of one) a GPU is
 * attached to one of them; data from other nodes' cores crosses the link between nodes, which is slower and shared by
 * all. So all threads of a worker on a GPU keep to the near cores, and the memory that they touch first is near, too.
 * Where there is only one node, or the system does not report them, nothing is changed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadProcessAddon } from "../../shared/native/process-addon.js";
import { findInstallation } from "./availability.js";
import { gpuNamed, pinnedGpu } from "./gpus.js";
import { readGraphics } from "./graphics.js";
import { visibleDevices } from "./process-environment.js";
import type { BackendSettings } from "./settings.js";

/** The system's files that list which cores are near a device; tests use others. */
export interface NearPlaces {
  readonly devices: string;
  /** The process's status, which lists the cores that it may use. */
  readonly status: string;
}

const PLACES: NearPlaces = { devices: "/sys/bus/pci/devices", status: "/proc/self/status" };

/** The number of cores that a worker needs: one for its own thread, and one per compute thread. */
const coresNeeded = (computeThreads: number): number => computeThreads + 1;

/**
 * The cores near a GPU that this process may use, by their numbers.
 * @param address the address on the PCI bus
 * @returns undefined if all the cores that it may use are near, or none of them is
 */
export function nearCores(address: string, places: NearPlaces = PLACES): number[] | undefined {
  const device = join(places.devices, address.toLowerCase());
  // −1: the firmware does not say; then the list has all cores.
  const node = Number(read(join(device, "numa_node")) ?? -1);
  const near = coresOf(read(join(device, "local_cpulist")) ?? "");
  const allowed = coresOf(/^Cpus_allowed_list:\s*(\S+)$/m.exec(read(places.status) ?? "")?.[1] ?? "");
  const usable = near.filter((core) => allowed.includes(core));
  return node >= 0 && usable.length > 0 && usable.length < allowed.length ? usable : undefined;
}

/** @param text cores as the system lists them: "0-3,8,10-11" */
export function coresOf(text: string): number[] {
  return text
    .trim()
    .split(",")
    .flatMap((part) => {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
      if (first === undefined) return [];
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
    });
}

/** The inverse of `coresOf`: cores in the form in which the system lists them. */
export function coresText(cores: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const core of cores) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === core - 1) range[1] = core;
    else ranges.push([core, core]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Makes this process keep to the cores near the GPU that it computes on; to be called before it starts its compute
 * threads.
 * @returns a line for the log; undefined if nothing is changed
 */
export function keepToNearCores(computeThreads: number, settings: BackendSettings): string | undefined {
  const graphics = readGraphics();
  const name = pinnedGpu(graphics, visibleDevices());
  const gpu = name === undefined ? undefined : gpuNamed(graphics, name);
  const cores = gpu && nearCores(gpu.address);
  if (cores === undefined) return undefined;
  const installation = findInstallation("tfjs-node-gpu", settings);
  const addon = typeof installation === "object" ? loadProcessAddon(installation) : undefined;
  return keepTo(cores, computeThreads, addon?.pin);
}

/** @param pin undefined if an older Isobatch has made the installation */
export function keepTo(
  cores: readonly number[],
  computeThreads: number,
  pin: ((cores: readonly number[]) => string | undefined) | undefined,
): string {
  const listed = `the cores near its GPU, ${coresText(cores)}`;
  const not = `the worker does not keep to ${listed}`;
  if (cores.length < coresNeeded(computeThreads)) {
    return `${not}: it needs ${coresNeeded(computeThreads)}, one for itself and one per compute thread`;
  }
  if (pin === undefined) return `${not}; isobatch tensorflow install --cuda compiles what this needs`;
  const refusal = pin(cores);
  return refusal === undefined ? `the worker keeps to ${listed}` : `${not}: ${refusal}`;
}
