import { CommanderError } from "commander";
import * as processEnd from "../api/programs/process-end.js";

/** 128 + SIGINT, as shells report a program that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;

/** The process's exit code after `error` ended its command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : processEnd.EXIT_USAGE;
  return processEnd.exitCodeOf(error);
}

/** What is printed on standard error after `error` ended its command. */
export function failureText(error: unknown): string {
  // Commander has printed its own: help, the version, or a sentence of `usageSentence`.
  return error instanceof CommanderError ? "" : processEnd.failureText(error);
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
