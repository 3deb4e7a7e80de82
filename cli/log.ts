import type { LogRecord } from "../index.js";
import { createLog, type Logger } from "../shared/log.js";
import type { Environment, LogThreshold } from "./environment.js";
import type { Display } from "./progress/display.js";

/**
 * The process's log on standard error: by default lines for people on a terminal, JSON elsewhere. If a display redraws
 * lines on the same terminal, the log is written through it.
 */
export function openLog(
  environment: Environment,
  defaultLevel: LogThreshold,
  display?: Pick<Display, "moves" | "print">,
): Logger {
  const level = environment.logLevel ?? defaultLevel;
  const terminal = process.stderr.isTTY === true;
  const pretty = environment.logFormat === undefined ? terminal : environment.logFormat === "pretty";
  const write = terminal && display?.moves ? (line: string) => display.print(line.trimEnd()) : undefined;
  return createLog({ level, pretty, color: environment.color, write });
}

/** Passes on a record of the library's log. */
export function relayRecord(log: Logger, { level, message, source, fields }: LogRecord): void {
  log[level](fields, source === undefined ? message : `${source}: ${message}`);
}
