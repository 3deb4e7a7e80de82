/**
 * What the NVIDIA driver reports about a machine's GPUs, read from files that it keeps, so that finding out neither
 * loads CUDA nor starts a program.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface Gpu {
  /** E.g. "NVIDIA H100 80GB HBM3"; undefined if the driver does not report it. */
  readonly model: string | undefined;
  /** "GPU-…", by which CUDA finds it whatever its number; undefined if the driver does not report it. */
  readonly uuid: string | undefined;
  /** The address on the PCI bus. */
  readonly address: string;
}

export interface Graphics {
  /** The version of the loaded kernel module, e.g. "580.65.06"; undefined if none is loaded. */
  readonly driverVersion: string | undefined;
  /** In the order of their addresses, by which nvidia-smi numbers them. */
  readonly gpus: readonly Gpu[];
}

/** The oldest driver for CUDA 12, by NVIDIA's compatibility table. */
export const DRIVER_VERSION_MIN = "525.60.13";

/** @param folder the folder of the driver's files; only tests pass another */
export function readGraphics(folder = "/proc/driver/nvidia"): Graphics {
  let driverVersion: string | undefined;
  let gpus: Gpu[] = [];
  try {
    driverVersion = /Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)/.exec(readFileSync(`${folder}/version`, "utf8"))?.[1];
    gpus = readdirSync(`${folder}/gpus`)
      .sort()
      .map((address) => readGpu(`${folder}/gpus/${address}`, address));
  } catch {
    // No driver, or one without GPUs: what was found shows which.
  }
  return { driverVersion, gpus };
}

function readGpu(folder: string, address: string): Gpu {
  let text = "";
  try {
    text = readFileSync(`${folder}/information`, "utf8");
  } catch {
    // The GPU exists, although its name is unknown.
  }
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:[ \\t]*(\\S.*)$`, "m").exec(text)?.[1].trim();
  const uuid = field("GPU UUID");
  // A driver that does not know the UUID yet writes question marks.
  return { model: field("Model"), uuid: uuid?.includes("?") ? undefined : uuid, address };
}

/** Why TensorFlow can't compute on a GPU here; undefined if there is no known reason. */
export function graphicsProblem({ driverVersion, gpus }: Graphics): string | undefined {
  if (driverVersion === undefined) return "no NVIDIA driver is loaded";
  if (isOlder(driverVersion, DRIVER_VERSION_MIN)) {
    return `the NVIDIA driver ${driverVersion} is too old for CUDA 12, which needs ${DRIVER_VERSION_MIN} or newer`;
  }
  if (gpus.length === 0) return "the NVIDIA driver finds no GPU";
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
