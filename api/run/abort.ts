import { IsobatchError } from "../../shared/errors.js";

/** Why nothing is done after the caller's signal. */
export function interrupted(signal: AbortSignal, what: string): IsobatchError {
  return new IsobatchError("interrupted", `${what} was stopped by its signal.`, { cause: signal.reason });
}

/** @throws {IsobatchError} `interrupted` if the signal has come already */
export function checkSignal(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw interrupted(signal, what);
}

/** Calls `listener` at the signal, or at once if it has come already. @returns ends that */
export function onSignal(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
