import { readBackendSettings } from "../backends/machine/index.js";
import { IsobatchError } from "../shared/errors.js";
import type { WorkerOptions, WorkerOutcome } from "../worker/index.js";
import { memoryOptions } from "./memory-options.js";
import { gradientFlip, patienceMs } from "./settings.js";
import type { Settings } from "./types/run.js";

/** How long a worker tries to reach its server at first, and again once it has joined, unless an option says otherwise. */
export const CONNECT_WAIT_SECONDS = 30;
export const RECONNECT_WAIT_SECONDS = 600;

/** @throws {IsobatchError} `unavailable` if the server has sent the worker away */
export function checkNotSentAway({ reason, message }: WorkerOutcome): void {
  if (reason !== "sent away") return;
  throw new IsobatchError("unavailable", `The server gives this worker no more work: ${message}`);
}

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
