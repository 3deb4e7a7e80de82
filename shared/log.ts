import { type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { REDACTED, redactTokens } from "./redact.js";

export type { Logger } from "pino";

export interface LogOptions {
  readonly level: string;
  /** Lines for a person's terminal rather than JSON. */
  readonly pretty: boolean;
  /** Whether those lines are coloured; they are by default. */
  readonly color?: boolean;
  /** Is given each line, newline included, instead of standard error. */
  readonly write?: (line: string) => void;
}

/** Standard error, on which a line that can't be written is left out: a failing log is no reason to end the process. */
function standardError() {
  const destination = pino.destination({ dest: 2, sync: true });
  destination.on("error", () => {});
  return destination;
}

/**
 * The process's log, on standard error: coloured lines for a person's terminal, JSON lines elsewhere. Whatever is
 * called token, secret or authorization is redacted, at the top and one level down, and so is whatever looks like a token.
 */
export function createLog({ level, pretty, color = true, write }: LogOptions): Logger {
  const format = prettyFactory({ colorize: color, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" });
  const plain = write === undefined ? standardError() : { write };
  const stream = { write: (line: string) => void plain.write(redactTokens(pretty ? format(line) : line)) };
  const secrets = ["token", "secret", "authorization"];
  return pino(
    {
      level,
      base: undefined,
      redact: { paths: [...secrets, ...secrets.map((name) => `*.${name}`)], censor: REDACTED },
    },
    stream,
  );
}
