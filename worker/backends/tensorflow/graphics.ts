/**
 * What the NVIDIA driver tells of a machine's GPUs, read from files that it keeps, so that asking neither loads CUDA
 * nor starts a program.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface Graphics {
  /** Of the loaded kernel module, e.g. "580.65.06"; undefined if none is loaded. */
  readonly driverVersion: string | undefined;
  /** Of each GPU that the driver has found, the folder with its name. */
  readonly gpuFolders: readonly string[];
}

/** The least driver for CUDA 12, by NVIDIA's table of compatibility. */
export const DRIVER_VERSION_MIN = "525.60.13";

/** @param folder of the driver's files, elsewhere in tests. */
export function readGraphics(folder = "/proc/driver/nvidia"): Graphics {
  let driverVersion: string | undefined;
  let gpuFolders: string[] = [];
  try {
    driverVersion = /Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)/.exec(readFileSync(`${folder}/version`, "utf8"))?.[1];
    gpuFolders = readdirSync(`${folder}/gpus`).map((gpu) => `${folder}/gpus/${gpu}`);
  } catch {
    // No driver, or one without GPUs: both are told by what was found.
  }
  return { driverVersion, gpuFolders };
}

/** Why TensorFlow can't compute on a GPU here; undefined if nothing speaks against it. */
export function graphicsProblem({ driverVersion, gpuFolders }: Graphics): string | undefined {
  if (driverVersion === undefined) return "no NVIDIA driver is loaded";
  if (isOlder(driverVersion, DRIVER_VERSION_MIN)) {
    return `the NVIDIA driver ${driverVersion} is too old for CUDA 12; it takes ${DRIVER_VERSION_MIN} or newer`;
  }
  if (gpuFolders.length === 0) return "the NVIDIA driver finds no GPU";
  return undefined;
}

/** Whether a version of dotted numbers comes before another. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number));
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
