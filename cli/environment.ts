import { gradientFlip, patienceMs } from "../api/settings.js";
import { type BackendSettings, readBackendSettings } from "../backends/machine/index.js";
import { type FailSetting, parseFailSetting } from "../shared/fail-point.js";
import { oneOf } from "./option-values.js";
import { ownCommand, shellWord } from "./own-command.js";
import { takesLinks } from "./progress/links.js";

/** What the program reads from its environment; no other code reads it. */
export interface Environment {
  /** All variables, for processes that this one starts. */
  readonly variables: Readonly<NodeJS.ProcessEnv>;
  /** How this program is called, for commands that are printed to be pasted. */
  readonly command: string;
  /** The command line that started this process, to be recorded and pasted again. It has no secrets: tokens are not arguments. */
  readonly commandLine: string;
  /** ISOBATCH_TOKEN: the join token. */
  readonly token: string | undefined;
  /** ISOBATCH_LOG: the lowest level of messages that are logged. */
  readonly logLevel: LogThreshold | undefined;
  /** ISOBATCH_LOG_FORMAT: lines for people or for programs. */
  readonly logFormat: LogFormat | undefined;
  /** False if NO_COLOR (no-color.org) is set and not empty. */
  readonly color: boolean;
  /** Whether the terminal, if standard output is one, supports links. */
  readonly links: boolean;
  /** ISOBATCH_TRANSPORT: how gradients and weights travel. */
  readonly transport: TransportChoice;
  /** ISOBATCH_TENSORFLOW, ISOBATCH_GPU_MEMORY and ISOBATCH_TENSORFLOW_PROGRAM. */
  readonly backendSettings: BackendSettings;
  /** ISOBATCH_FAIL_AT: only for tests. */
  readonly failPoint: FailSetting | undefined;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogThreshold = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ["json", "pretty"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** `auto`: memory where it can be shared, else the wire. */
export const TRANSPORTS = ["auto", "memory", "wire"] as const;
export type TransportChoice = (typeof TRANSPORTS)[number];

export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const { ISOBATCH_TOKEN, ISOBATCH_LOG, ISOBATCH_LOG_FORMAT, ISOBATCH_TRANSPORT, NO_COLOR } = variables;
  const command = ownCommand(variables, process.argv[1]);
  // These are read again where they are used, in other processes too; here they are only checked.
  patienceMs(variables);
  gradientFlip(variables);
  return {
    variables,
    command,
    commandLine: [command, ...process.argv.slice(2).map(shellWord)].join(" "),
    token: ISOBATCH_TOKEN,
    logLevel: ISOBATCH_LOG ? oneOf("ISOBATCH_LOG", LOG_LEVELS)(ISOBATCH_LOG) : undefined,
    logFormat: ISOBATCH_LOG_FORMAT ? oneOf("ISOBATCH_LOG_FORMAT", LOG_FORMATS)(ISOBATCH_LOG_FORMAT) : undefined,
    color: !NO_COLOR,
    links: takesLinks(variables),
    transport: ISOBATCH_TRANSPORT ? oneOf("ISOBATCH_TRANSPORT", TRANSPORTS)(ISOBATCH_TRANSPORT) : "auto",
    backendSettings: readBackendSettings(variables),
    failPoint: parseFailSetting(variables.ISOBATCH_FAIL_AT),
  };
}

/** The environment with the transport that the command line names, also for processes that this one starts. */
export function withTransport(
  environment: Environment,
  { transport }: { readonly transport?: TransportChoice },
): Environment {
  if (transport === undefined) return environment;
  return { ...environment, transport, variables: { ...environment.variables, ISOBATCH_TRANSPORT: transport } };
}

/** Options about the log, which take precedence over the environment. */
export interface LogOptions {
  readonly logLevel?: LogThreshold;
  readonly logFormat?: LogFormat;
}

export function withLogOptions(environment: Environment, options: LogOptions): Environment {
  const { logLevel = environment.logLevel, logFormat = environment.logFormat } = options;
  return { ...environment, logLevel, logFormat };
}
