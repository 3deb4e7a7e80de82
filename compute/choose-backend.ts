/**
 * Chooses the backend that a worker computes with. It must be known before the worker joins: the server admits one
 * numerics class, and only an open backend knows its own. The main thread computes nothing and so opens no backend; a
 * separate thread opens it, reports its numerics class, and ends.
 */
import { Worker } from "node:worker_threads";
import type { Numerics } from "../backends/index.js";
import { type BackendName, type BackendSettings, prepareProcess, processLeaver } from "../backends/machine/index.js";
import { type ErrorCode, IsobatchError } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import { systemError } from "../shared/system-errors.js";
import { traceThread } from "../shared/trace/index.js";
import type { ProbeMessage, ProbeStart } from "./probe-thread.js";
import { endThread } from "./stuck-threads.js";

export interface ChosenBackend {
  readonly name: BackendName;
  readonly numerics: Numerics;
  /** The device in words, for people. */
  readonly device: string;
}

/**
 * The backend that was asked for, or the first that works; each choice is logged with its reason.
 * @param gpu the number of the GPU to compute on, if one was requested; see `prepareProcess`
 * @throws {IsobatchError} `invalid_input` for an unknown name or number, `unavailable` if it is unavailable
 */
export async function chooseBackendOffThread(
  requested: string | undefined,
  log: Logger,
  settings: BackendSettings,
  gpu?: number,
): Promise<ChosenBackend> {
  prepareProcess(requested, settings, gpu);
  const leave = processLeaver(requested ?? "tfjs-node-gpu", settings);
  const trace = traceThread("probe");
  const workerData: ProbeStart = { requested, settings, trace: trace?.ring };
  const thread = new Worker(new URL("./probe-thread.js", import.meta.url), { workerData });
  let overdue: NodeJS.Timeout | undefined;
  let isHung = false;
  try {
    return await new Promise((resolve, reject) => {
      thread.on("message", (message: ProbeMessage) => {
        if ("line" in message) log.info(message.fields, message.line);
        else if ("chosen" in message) resolve(message.chosen);
        else if (message.code === undefined) reject(new Error(message.failed));
        else reject(new IsobatchError(message.code as ErrorCode, message.failed));
      });
      thread.once("error", (error) => reject(systemError(error)));
      thread.once("exit", () => trace?.end());
      thread.once("exit", (code) => reject(new Error(`the thread that chooses a backend ended with code ${code}`)));
      overdue = setTimeout(() => {
        isHung = true;
        reject(hangs(requested));
      }, OPEN_MS_MAX);
    });
  } finally {
    clearTimeout(overdue);
    const ended = endThread(thread, isHung ? END_HUNG_MS : END_MS, leave);
    if (isHung) await ended;
  }
}

/**
 * Each native backend is tried in a separate process first, for at most a minute, so the thread opens one that has
 * opened before.
 */
const OPEN_MS_MAX = 600_000;
const END_MS = 10_000;
const END_HUNG_MS = 1_000;

function hangs(requested = "a backend"): IsobatchError {
  return new IsobatchError(
    "exhausted",
    `Opening ${requested} has not finished in ${OPEN_MS_MAX / 60_000} min, so this worker ends; isobatch doctor tries each ` +
      "backend, and --backend wasm computes without a native library.",
  );
}
