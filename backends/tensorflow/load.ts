/** Loads an installation's parts into this process, each after those that it depends on. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { sessionAddonOf, type TensorFlowInstallation } from "../../shared/native/installation.js";
import { loadProcessAddon, type ProcessAddon } from "../../shared/native/process-addon.js";
import { loadCudaLibraries } from "../machine/cuda-libraries.js";
import {
  type BackendSettings,
  cudaLibraryProblems,
  driverLibraryProblems,
  type TensorFlowBackendName,
} from "../machine/index.js";
import { limitGpuMemory } from "./gpu-memory.js";
import { type Binding, loadNativePackage } from "./native-package.js";
import type { SessionAddon } from "./program/session.js";

export interface Loaded {
  readonly name: TensorFlowBackendName;
  readonly installation: TensorFlowInstallation;
  readonly binding: Binding;
  /** Undefined if an older Isobatch has made the installation. */
  readonly sessions: SessionAddon | undefined;
  /** Undefined if an older Isobatch has made the installation. */
  readonly addon: ProcessAddon | undefined;
  /** Switches TF32 on or off for the whole process; undefined where there is no switch, and TF32 is off. */
  readonly switchTf32: ((on: boolean) => void) | undefined;
}

/** @throws {IsobatchError} `unavailable` with the reason why it can't be loaded, or why it sees no GPU. */
export function loadTensorFlow(
  name: TensorFlowBackendName,
  installation: TensorFlowInstallation,
  { gpuMemoryMiB }: Pick<BackendSettings, "gpuMemoryMiB">,
): Loaded {
  const unavailable = (why: string, cause?: unknown): never => {
    throw new IsobatchError("unavailable", `The backend ${name} is unavailable: ${why}.`, { cause });
  };
  const load = createRequire(import.meta.url);
  const onGpu = name === "tfjs-node-gpu";
  try {
    const addon = loadProcessAddon(installation);
    // Before TensorFlow, which looks for them while it is loaded and when it is first asked for its devices.
    if (onGpu && addon !== undefined) loadCudaLibraries(addon, installation.libraryFolder);
    const file = sessionAddonOf(installation);
    const sessions = existsSync(file) ? (load(file) as SessionAddon) : undefined;
    if (onGpu && gpuMemoryMiB !== undefined) limitGpuMemory(sessions, gpuMemoryMiB);
    const binding = load(installation.binding) as Binding;
    const loaded: Loaded = {
      name,
      installation,
      binding,
      addon,
      sessions,
      switchTf32: onGpu ? tf32Switch(installation, addon) : undefined,
    };
    loadNativePackage(installation.packageFolder);
    if (!onGpu || binding.isUsingGpuDevice()) return loaded;
    if (addon === undefined) {
      return unavailable(
        "TensorFlow sees no GPU; run isobatch tensorflow install --cuda again, which finds CUDA's libraries",
      );
    }
    const [problem] = [...cudaLibraryProblems(installation, addon), ...driverLibraryProblems(addon)];
    const advice = "check CUDA_VISIBLE_DEVICES, and what TensorFlow logs with TF_CPP_MIN_LOG_LEVEL=0";
    return unavailable(
      problem === undefined ? `TensorFlow sees no GPU; ${advice}` : `TensorFlow sees no GPU: ${problem}`,
    );
  } catch (error) {
    if (error instanceof IsobatchError) throw error;
    const [line] = messageOf(error).split("\n");
    return unavailable(`TensorFlow does not load (${line}); run isobatch tensorflow install again`, error);
  }
}

/** The switch for TF32, turned off: TensorFlow has TF32 on by default. */
function tf32Switch(
  { libraryFolder }: TensorFlowInstallation,
  addon: ProcessAddon | undefined,
): ((on: boolean) => void) | undefined {
  if (addon?.tensorFloat32 === undefined) return undefined;
  const { tensorFloat32 } = addon;
  const library = join(libraryFolder, "libtensorflow_framework.so.2");
  const switchTo = (on: boolean): void => {
    if (!tensorFloat32(library, on)) throw new Error("it has no switch for TF32");
  };
  switchTo(false);
  return switchTo;
}
