/** What this process may use of the machine. */
import { readFileSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { type GroupLimits, groupLimits } from "./cgroups.js";

export interface MachineShare {
  /** The number of threads that can compute at about full speed at the same time: see `coresFor`. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** What control groups (containers, units) limit; null: they don't. */
  readonly limits: { readonly cpus: number | null; readonly memoryBytes: number | null };
}

/** The share of this process: the processors that it may run on (taskset, cpusets), up to its control groups' quota. */
export function machineShare(): MachineShare {
  return shareOf(availableParallelism(), totalmem(), freemem(), groupLimits(readOrNothing));
}

/** The cores of `machineShare`. */
export function availableCores(): number {
  return machineShare().cores;
}

export function shareOf(
  processors: number,
  totalBytes: number,
  freeBytes: number,
  { cpus, memory }: GroupLimits,
): MachineShare {
  // A limit above what the machine has limits nothing.
  const limited = memory !== undefined && memory.bytes < totalBytes ? memory : undefined;
  return {
    cores: coresFor(processors, cpus),
    memoryBytes: limited?.bytes ?? totalBytes,
    freeMemoryBytes: Math.min(freeBytes, limited === undefined ? freeBytes : limited.bytes - limited.usedBytes),
    limits: {
      cpus: cpus !== undefined && cpus < processors ? cpus : null,
      memoryBytes: limited?.bytes ?? null,
    },
  };
}

/**
 * A quota is rounded up: a quota of 1.5 is 150 ms of computing in each 100 ms, whichever threads use them. Two threads
 * use all of it, and are stopped for the rest of the period; one thread can use 100 ms, and a third of the quota is
 * lost. More threads are only stopped for longer, all at the same time.
 */
function coresFor(processors: number, cpus: number | undefined): number {
  return cpus === undefined ? processors : Math.max(1, Math.min(processors, Math.ceil(cpus)));
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
