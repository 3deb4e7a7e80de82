/** Options that several commands share. */
import { type Command, Option } from "commander";
import { DEFAULT_PORT } from "../../shared/wire/address.js";
import { LOG_FORMATS, LOG_LEVELS, TRANSPORTS } from "../environment.js";
import { oneOf } from "../option-values.js";

/** A server on this machine, for examples. */
export const HERE = `127.0.0.1:${DEFAULT_PORT}`;

/** The options of a command that connects to a server. */
export function clientOptions(command: Command): Command {
  return command
    .option("--token-file <file>", "a file with the token")
    .option("--token <->", "read the token from standard input", oneOf("--token", ["-"]))
    .option("--tls-ca <file>", "the CA of the server's certificate, PEM, if the server has its owner's")
    .option("--tls-cert <file>", "your certificate, PEM, for a server that asks for one")
    .option("--tls-key <file>", "its key, PEM");
}

/** The options of a command that logs to standard error. */
export function logging(command: Command): Command {
  return command
    .addOption(
      new Option("--log-level <name>", "lowest level of messages to log (default: ISOBATCH_LOG)")
        .choices(LOG_LEVELS)
        .argParser(oneOf("--log-level", LOG_LEVELS)),
    )
    .addOption(
      new Option("--log-format <name>", "format of the log (default: pretty on a terminal, json elsewhere)")
        .choices(LOG_FORMATS)
        .argParser(oneOf("--log-format", LOG_FORMATS)),
    );
}

/** The option of a command that takes part in a run. */
export function tracing(command: Command): Command {
  return command.option(
    "--trace <file>",
    "write a timeline of all processes and threads to a file for ui.perfetto.dev",
  );
}

/** The option that chooses how gradients and weights travel. */
export function transporting(command: Command): Command {
  return command.addOption(
    new Option(
      "--transport <name>",
      "how gradients and weights travel: through memory shared with a server on this machine, over the wire, or auto, " +
        "through memory where possible (default: ISOBATCH_TRANSPORT, else auto)",
    )
      .choices(TRANSPORTS)
      .argParser(oneOf("--transport", TRANSPORTS)),
  );
}

/** The examples at the end of a command's help. */
export function examples(...rows: (readonly [command: string, meaning: string])[]): string {
  return `\nExamples:\n${rows.map(([command, meaning]) => `  $ ${command}\n      ${meaning}\n`).join("")}`;
}
