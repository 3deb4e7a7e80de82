import { readBackendSettings } from "../backends/machine/index.js";
import type { WorkerOptions } from "../worker/index.js";
import { memoryOptions } from "./memory-options.js";
import { gradientFlip, patienceMs } from "./settings.js";
import type { Settings } from "./types/run.js";

/** What a worker takes from settings. */
export function workerSettings(
  transport: "auto" | "memory" | "wire" | undefined,
  settings: Settings,
): Pick<WorkerOptions, "memory" | "patienceMs" | "flip" | "backendSettings"> {
  return {
    memory: memoryOptions(transport, settings),
    patienceMs: patienceMs(settings),
    flip: gradientFlip(settings),
    backendSettings: readBackendSettings(settings),
  };
}
