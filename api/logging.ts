import { createLog, type Logger } from "../shared/log.js";
import type { Logging, LogRecord } from "./types/log.js";

const LEVELS: Readonly<Record<number, LogRecord["level"]>> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "error",
};

/** The log of what runs in this process, as records for the caller. */
export function createRecordLog({ onLog, logLevel }: Logging, defaultLevel: Logging["logLevel"]): Logger {
  const level = onLog === undefined ? "silent" : (logLevel ?? defaultLevel ?? "warn");
  return createLog({ level, pretty: false, write: (line) => passOn(onLog, JSON.parse(line)) });
}

/** Passes on a line of a log, by the process that is called `source`; undefined: this one. */
export function passOn(onLog: Logging["onLog"], line: Readonly<Record<string, unknown>>, source?: string): void {
  const { level: number, time, msg, ...fields } = line;
  const level = LEVELS[Number(number)];
  if (onLog === undefined || level === undefined) return;
  const at = new Date(typeof time === "number" ? time : Date.now()).toISOString();
  onLog({ level, at, message: String(msg), ...(source === undefined ? {} : { source }), fields });
}
