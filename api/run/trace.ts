import { resolve } from "node:path";
import { invalid } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import { span, startTrace, tracedIn } from "../../shared/trace/index.js";

/**
 * Starts this process's trace, unless it has started.
 * @returns the file; undefined: there is to be none
 * @throws {IsobatchError} `invalid_input` if this process writes another one, or the file can't be written
 */
export function beginTrace(path: string | undefined, log: Logger): string | undefined {
  if (path === undefined) return undefined;
  const file = resolve(path);
  const there = tracedIn();
  if (there !== undefined && there !== file) {
    invalid(
      `trace is ${file}, but this process writes its trace to ${there}, and it has only one; leave this one out.`,
    );
  }
  if (there === undefined) {
    startTrace({ path: file, process: "server", begin: true, warn: (line) => log.warn(line) });
    span("start", 0);
  }
  return file;
}
