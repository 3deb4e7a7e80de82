import { invalid } from "../shared/errors.js";
import { type GradientFlip, parseGradientFlip } from "../worker/compute/gradient-flip.js";

/** What the program reads from its environment; nothing else reads it. */
export interface Environment {
  /** All of it, for processes that this one starts. */
  readonly variables: Readonly<NodeJS.ProcessEnv>;
  /** ISOBATCH_TOKEN: the join token. */
  readonly token: string | undefined;
  /** ISOBATCH_LOG: the least severe messages that are logged. */
  readonly logLevel: LogLevel | undefined;
  /** NO_COLOR (no-color.org): set to anything but nothing. */
  readonly color: boolean;
  /** ISOBATCH_FLIP_GRADIENT_BIT: for tests alone. */
  readonly flip: GradientFlip | undefined;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const { ISOBATCH_TOKEN, ISOBATCH_LOG, NO_COLOR, ISOBATCH_FLIP_GRADIENT_BIT } = variables;
  return {
    variables,
    token: ISOBATCH_TOKEN,
    logLevel: ISOBATCH_LOG ? parseLogLevel(ISOBATCH_LOG) : undefined,
    color: !NO_COLOR,
    flip: ISOBATCH_FLIP_GRADIENT_BIT ? parseGradientFlip(ISOBATCH_FLIP_GRADIENT_BIT) : undefined,
  };
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((name) => name === text);
  return level ?? invalid(`ISOBATCH_LOG is "${text}"; it must be one of ${LOG_LEVELS.join(", ")}.`);
}
