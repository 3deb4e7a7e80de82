import { createRequire } from "node:module";
import { type Logger, pino } from "pino";
import type { prettyFactory } from "pino-pretty";
import { REDACTED, redactTokens } from "./redact.js";

export type { Logger } from "pino";

export interface LoggerOptions {
  readonly level: string;
  /** Whether lines are for a person's terminal rather than JSON. */
  readonly pretty: boolean;
  /** Whether those lines are coloured; they are by default. */
  readonly color?: boolean;
  /** Called with each line, newline included, instead of writing to standard error. */
  readonly write?: (line: string) => void;
}

/** Standard error, on which a line that can't be written is left out: a failing log must not end the process. */
function standardError() {
  const destination = pino.destination({ dest: 2, sync: true });
  destination.on("error", () => {});
  return destination;
}

/**
 * The process's log, on standard error: coloured lines for a person's terminal, JSON lines elsewhere. Fields
 * called token, secret or authorization are redacted, at the top and one level down, and so is any text that looks like
 * a token.
 */
export function createLog({ level, pretty, color = true, write }: LoggerOptions): Logger {
  const format = pretty ? prettyLines(color) : (line: string) => line;
  const plain = write === undefined ? standardError() : { write };
  const stream = { write: (line: string) => void plain.write(redactTokens(format(line))) };
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

/**
 * Loads the package only where it is used: its many files take a while, which every process of a run would wait for.
 */
function prettyLines(color: boolean): (line: string) => string {
  const load = createRequire(import.meta.url);
  const { prettyFactory: factory } = load("pino-pretty") as { prettyFactory: typeof prettyFactory };
  return factory({ colorize: color, ignore: "pid,hostname", singleLine: true, translateTime: "SYS:HH:MM:ss" });
}
