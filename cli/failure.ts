import { CommanderError } from "commander";
import { IsobatchError } from "../shared/errors.js";
import { redactTokens } from "../shared/redact.js";
import { systemError } from "../shared/system-errors.js";
import { bugsUrl } from "./bug-report.js";

/** sysexits.h's EX_SOFTWARE: a bug, no fault of the user's. */
export const EXIT_BUG = 70;
/** 128 + SIGINT, as a shell says it of a program that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;
const EXIT_USAGE = 2;

/** The process's exit code after `error` ended its command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const known = systemError(error);
  return known instanceof IsobatchError ? known.exitCode : EXIT_BUG;
}

/** What standard error is told: a sentence, or the whole of a bug. */
export function failureText(error: unknown): string {
  // Commander has printed its own: help, the version, or a sentence of `usageSentence`.
  if (error instanceof CommanderError) return "";
  const known = systemError(error);
  if (known instanceof IsobatchError) return `${redactTokens(known.message)}\n`;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a bug in Isobatch. Please report it, with what follows, at ${bugsUrl()}\n${redactTokens(stack)}\n`;
}

/**
 * Commander's complaint about the command line as one sentence: "error: missing required argument 'task'" becomes
 * "Missing required argument 'task'; isobatch run --help lists what there is."
 */
export function usageSentence(complaint: string, command: string): string {
  const text = complaint.trim().replace(/^error: /, "");
  const subject = text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, "");
  return `${subject}; ${command} --help lists what there is.\n`;
}
