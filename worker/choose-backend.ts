/**
 * Which backend a worker computes with, tried before it joins: the server admits one numerics class, and only an open
 * backend knows its own. The main thread never loads tfjs (it is synchronous and large), so each attempt is a thread
 * that opens the backend, says what it is and ends.
 */
import { Worker } from "node:worker_threads";
import { IsobatchError, invalid } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import type { BackendName, Numerics } from "./backends/index.js";
import type { ProbeReply } from "./probe-thread.js";

export interface ChosenBackend {
  readonly name: BackendName;
  readonly numerics: Numerics;
  /** In words, for people. */
  readonly device: string;
}

/** In the order in which they are tried. */
const BACKENDS: readonly BackendName[] = ["wasm", "cpu"];

/**
 * Opens the backends in turn and chooses the first that starts; with `wanted`, that one or none.
 * @throws {IsobatchError} `invalid_input` for an unknown name, `unavailable` with the reason if none starts.
 */
export async function chooseBackend(wanted: string | undefined, log: Logger): Promise<ChosenBackend> {
  const candidates = wanted === undefined ? BACKENDS : BACKENDS.filter((name) => name === wanted);
  if (candidates.length === 0) {
    invalid(`--backend: "${wanted}" is no backend of this worker; choose one of ${BACKENDS.join(", ")}.`);
  }
  const reasons: string[] = [];
  for (const name of candidates) {
    const reply = await probe(name);
    if (reply.failed === undefined) {
      const why = reasons.length > 0 ? reasons.join(" ") : wanted === undefined ? "the first that starts" : "as told";
      log.info({ backend: name, device: reply.device }, `computing with ${name}: ${why}`);
      return { name, numerics: reply.numerics, device: reply.device };
    }
    reasons.push(reply.failed);
  }
  throw new IsobatchError("unavailable", reasons.join(" "));
}

function probe(backend: BackendName): Promise<ProbeReply> {
  return new Promise((resolve) => {
    const thread = new Worker(new URL("./probe-thread.js", import.meta.url), { workerData: backend });
    const settle = (reply: ProbeReply): void => {
      resolve(reply);
      void thread.terminate();
    };
    thread.once("message", settle);
    thread.once("error", (error) => settle({ failed: `The backend ${backend} crashed: ${error.message}.` }));
    thread.once("exit", (code) => settle({ failed: `The backend ${backend} ended its thread with code ${code}.` }));
  });
}
