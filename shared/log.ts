import { type Logger, pino, type StreamEntry } from "pino";
import pretty from "pino-pretty";

export type { Logger } from "pino";

/**
 * The process's log, on standard error: coloured lines for a person's terminal, JSON lines elsewhere. Whatever is
 * called token, secret or authorization is redacted, at the top and one level down.
 */
export function createLog(options: { level: string; pretty: boolean }): Logger {
  const stream: StreamEntry["stream"] = options.pretty
    ? pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" })
    : pino.destination({ dest: 2, sync: true });
  const secrets = ["token", "secret", "authorization"];
  return pino(
    {
      level: options.level,
      base: undefined,
      redact: { paths: [...secrets, ...secrets.map((name) => `*.${name}`)], censor: "(redacted)" },
    },
    stream,
  );
}
