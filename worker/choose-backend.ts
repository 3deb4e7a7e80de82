/**
 * Which backend a worker computes with must be known before it joins: the server admits one numerics class, and only
 * an open backend knows its own. The main thread never loads tfjs (it is large, and synchronous), so a thread of its
 * own opens the backend, says what it is, and ends.
 */
import { Worker } from "node:worker_threads";
import { type ErrorCode, IsobatchError } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import { systemError } from "../shared/system-errors.js";
import type { BackendName, Numerics } from "./backends/index.js";
import { prepareProcess } from "./backends/tensorflow/availability.js";
import type { ProbeMessage } from "./probe-thread.js";

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
  gpu?: number,
): Promise<ChosenBackend> {
  prepareProcess(requested, gpu);
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("./probe-thread.js", import.meta.url), { workerData: requested });
    thread.on("message", (message: ProbeMessage) => {
      if ("line" in message) return log.info(message.fields, message.line);
      if ("chosen" in message) resolve(message.chosen);
      else if (message.code === undefined) reject(new Error(message.failed));
      else reject(new IsobatchError(message.code as ErrorCode, message.failed));
      void thread.terminate();
    });
    thread.once("error", (error) => reject(systemError(error)));
    thread.once("exit", (code) => reject(new Error(`the thread that chooses a backend ended with code ${code}`)));
  });
}
