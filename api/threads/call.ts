/** Work that is done in another thread, which has its own TensorFlow.js: the caller's is not disturbed. */
import { Worker } from "node:worker_threads";
import { type ErrorCode, IsobatchError } from "../../shared/errors.js";
import { systemError } from "../../shared/system-errors.js";

/** What a thread answers. */
export type Answer =
  | { readonly result: unknown }
  | { readonly failed: string; readonly code: ErrorCode | undefined; readonly stack: string | undefined };

/**
 * Starts a thread that answers once, by `answer()`, and waits for its end.
 * @param input what it is given; copied
 */
export async function callThread<Result>(program: URL, input: unknown): Promise<Result> {
  const thread = new Worker(program, { workerData: input, stdout: true, stderr: true });
  try {
    return await new Promise<Result>((resolve, reject) => {
      thread.once("message", (answer: Answer) => {
        if ("result" in answer) return resolve(answer.result as Result);
        const { failed, code, stack } = answer;
        const error = code === undefined ? new Error(failed) : new IsobatchError(code, failed);
        if (stack !== undefined) error.stack = stack;
        reject(error);
      });
      thread.once("error", (error) => reject(systemError(error)));
      thread.once("exit", (code) => reject(new Error(`the thread ended with code ${code} before it answered`)));
    });
  } finally {
    await thread.terminate();
  }
}
