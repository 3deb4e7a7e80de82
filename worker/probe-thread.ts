/** A thread that opens one backend, says what it is, and is ended by whoever started it. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../shared/errors.js";
import { type BackendName, type Numerics, openBackend } from "./backends/index.js";

export type ProbeReply =
  | { readonly failed?: undefined; readonly numerics: Numerics; readonly device: string }
  /** One sentence. */
  | { readonly failed: string };

async function probe(): Promise<ProbeReply> {
  try {
    const { numerics, device } = await openBackend(workerData as BackendName);
    return { numerics, device };
  } catch (error) {
    return { failed: messageOf(error) };
  }
}

parentPort!.postMessage(await probe());
