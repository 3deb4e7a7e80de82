/**
 * Which backend a worker computes with must be known before it joins: the server admits one numerics class, and only
 * an open backend knows its own. The main thread never loads tfjs (it is large, and synchronous), so a thread of its
 * own opens the backend, says what it is, and ends.
 */
import { Worker } from "node:worker_threads";
import type { BackendName, BackendSettings, Numerics } from "../backends/index.js";
import { prepareProcess, processLeaver } from "../backends/tensorflow/availability.js";
import { type ErrorCode, IsobatchError } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import { systemError } from "../shared/system-errors.js";
import { traceThread } from "../shared/trace/index.js";
import { endThread } from "./index.js";
import type { ProbeMessage, ProbeStart } from "./probe-thread.js";

export interface ChosenBackend {
  readonly name: BackendName;
  readonly numerics: Numerics;
  /** In words, for people. */
  readonly device: string;
}

/**
 * The backend that was asked for, or the first that works; each choice is logged with its reason.
 * @param gpu the number of the GPU to compute on, if one was asked for; see `prepareProcess`.
 * @throws {IsobatchError} `invalid_input` for an unknown name or number, `unavailable` if it can't be had.
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

/** Each native backend is tried in a process of its own first, for a minute at most, so this one opens what has opened before. */
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
