import { createLog, type Logger } from "../shared/log.js";
import type { Environment, LogLevel } from "./environment.js";
import type { Display } from "./progress/display.js";

/**
 * The process's log on standard error: lines for people on a terminal, JSON elsewhere, unless told otherwise. Where a
 * display moves on the same terminal, its lines go through that.
 */
export function openLog(environment: Environment, defaultLevel: LogLevel, display?: Display): Logger {
  const level = environment.logLevel ?? defaultLevel;
  const terminal = process.stderr.isTTY === true;
  const pretty = environment.logFormat === undefined ? terminal : environment.logFormat === "pretty";
  const write = terminal && display?.moves ? (line: string) => display.print(line.trimEnd()) : undefined;
  return createLog({ level, pretty, color: environment.color, write });
}

const LEVEL_NAMES: Readonly<Record<number, "debug" | "info" | "warn" | "error">> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "error",
};

/** Passes on a record of a child process's log, as said by `who`. */
export function relayLog(log: Logger, who: string, record: Readonly<Record<string, unknown>>): void {
  const { level, time: _time, msg, ...fields } = record;
  const name = LEVEL_NAMES[Number(level)];
  if (name !== undefined) log[name](fields, `${who}: ${String(msg)}`);
}
