import { parentPort, workerData } from "node:worker_threads";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { systemError } from "../../shared/system-errors.js";
import type { Answer } from "./call.js";

/** Does a thread's work and answers with its result, or with why there is none. */
export async function answer<Input>(work: (input: Input) => Promise<unknown>): Promise<void> {
  let answered: Answer;
  try {
    answered = { result: await work(workerData as Input) };
  } catch (thrown) {
    const error = systemError(thrown);
    const code = error instanceof IsobatchError ? error.code : undefined;
    answered = { failed: messageOf(error), code, stack: error instanceof Error ? error.stack : undefined };
  }
  parentPort!.postMessage(answered);
}
