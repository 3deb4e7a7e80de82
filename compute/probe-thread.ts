/** A thread that chooses a backend and reports its numerics class; the thread that started it ends it. */
import { parentPort, workerData } from "node:worker_threads";
import { type BackendSettings, chooseBackend, openBackend } from "../backends/index.js";
import { IsobatchError, messageOf } from "../shared/errors.js";
import { systemError } from "../shared/system-errors.js";
import { during, joinTrace } from "../shared/trace/index.js";
import type { ChosenBackend } from "./choose-backend.js";

export interface ProbeStart {
  readonly requested: string | undefined;
  readonly settings: BackendSettings;
  /** The ring for what the thread records, as in `ThreadStart`. */
  readonly trace: SharedArrayBuffer | undefined;
}

/** A line for the log, the backend that was chosen, or why none was. */
export type ProbeMessage =
  | { readonly fields: object; readonly line: string }
  | { readonly chosen: ChosenBackend }
  | { readonly failed: string; readonly code: string | undefined };

const send = (message: ProbeMessage): void => parentPort!.postMessage(message);

const { requested, settings, trace } = workerData as ProbeStart;

try {
  joinTrace(trace);
  const log = { info: (fields: object, line: string) => send({ fields, line }) };
  const name = await chooseBackend(requested, log, settings);
  const { numerics, device } = await during("backend", () => openBackend(name, settings));
  send({ chosen: { name, numerics, device } });
} catch (thrown) {
  const error = systemError(thrown);
  send({ failed: messageOf(error), code: error instanceof IsobatchError ? error.code : undefined });
}
