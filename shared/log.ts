import { type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";

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

/**
 * The process's log, on standard error: coloured lines for a person's terminal, JSON lines elsewhere. Whatever is
 * called token, secret or authorization is redacted, at the top and one level down.
 */
export function createLog({ level, pretty, color = true, write }: LogOptions): Logger {
  const format = prettyFactory({ colorize: color, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" });
  const plain = write === undefined ? pino.destination({ dest: 2, sync: true }) : { write };
  const stream = pretty ? { write: (line: string) => void plain.write(format(line)) } : plain;
  const secrets = ["token", "secret", "authorization"];
  return pino(
    {
      level,
      base: undefined,
      redact: { paths: [...secrets, ...secrets.map((name) => `*.${name}`)], censor: "(redacted)" },
    },
    stream,
  );
}
