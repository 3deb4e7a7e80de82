/** How a process of Isobatch ends: with an exit code, and with a sentence on standard error or, for a bug, a stack. */
import { IsobatchError } from "../../shared/errors.js";
import { redactTokens } from "../../shared/redact.js";
import { systemError } from "../../shared/system-errors.js";
import { bugsUrl } from "./bug-report.js";

/** sysexits.h's EX_SOFTWARE: a bug, no fault of the user's. */
export const EXIT_BUG = 70;
/** Wrong input: the same input would be as wrong the next time. */
export const EXIT_USAGE = 2;
/** What still holds the process once its work has ended gets this long. */
const LINGER_MS = 2_000;

/** The process's exit code after `error` ended its work. */
export function exitCodeOf(error: unknown): number {
  const known = systemError(error);
  return known instanceof IsobatchError ? known.exitCode : EXIT_BUG;
}

/** What is printed on standard error: a sentence, or all that is known of a bug. */
export function failureText(error: unknown): string {
  const known = systemError(error);
  if (known instanceof IsobatchError) return `${redactTokens(known.message)}\n`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a bug in Isobatch. Please report it, with what follows, at ${bugsUrl()}\n${redactTokens(stack)}\n`;
}

/** Ends the process once nothing holds it, and soon in any case. */
export function endProcess(exitCode: number): void {
  process.exitCode = exitCode;
  // A signal that comes now is too late to change the exit code. When Node.js ends a process by itself, it removes the
  // handlers of signals first; process.exit does not.
  process.on("SIGTERM", () => process.exit());
  process.once("beforeExit", () => process.exit());
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
