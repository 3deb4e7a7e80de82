import { createLog, type Logger } from "../../shared/log.js";

/** A log on standard error, in JSON, which the parent reads. */
export function openProgramLog(level: string): Logger {
  return createLog({ level, pretty: false });
}
