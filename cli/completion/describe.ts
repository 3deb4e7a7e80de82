/**
 * What can be completed, read from the program itself: its commands, their options and the values of these. A shell's
 * script is generated from this and contains all it needs, so completing never starts the program.
 */
import type { Argument, Command, Option } from "commander";

/** A command, and what may follow its name. */
export interface CompletedCommand {
  /** From the program's name on: ["isobatch", "worker", "join"]. */
  readonly path: readonly string[];
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly CompletedOption[];
  /** Its operands, in order. */
  readonly operands: readonly CompletedValue[];
}

export interface CompletedOption {
  /** "-h" and "--help". */
  readonly flags: readonly string[];
  readonly description: string;
  /** Its value; undefined if it takes none. */
  readonly value: CompletedValue | undefined;
}

export interface CompletedValue {
  /** Its name in the help, such as "dir". */
  readonly name: string;
  /** Words that it may be; not always all of them. */
  readonly words: readonly string[];
  readonly paths: "none" | "files" | "folders";
}

/** Words that the program's description does not contain, by option ("--backend") or operand ("task"). */
export type KnownWords = Readonly<Record<string, readonly string[]>>;

/** The program and all its commands, parents before their children; commands hidden from the help are left out. */
export function describeCommands(
  command: Command,
  known: KnownWords,
  path: readonly string[] = [command.name()],
): CompletedCommand[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const described: CompletedCommand = {
    path,
    subcommands: subcommands.flatMap((child) =>
      namesOf(child).map((name) => ({ name, summary: child.summary() || child.description() })),
    ),
    options: help.visibleOptions(command).map((option) => describeOption(option, known)),
    operands: command.registeredArguments.map((operand) => describeOperand(operand, known)),
  };
  const own = subcommands.filter((child) => child.parent === command);
  const children = own.flatMap((child) =>
    namesOf(child).flatMap((name) => describeCommands(child, known, [...path, name])),
  );
  // Commander adds `help` by itself, without a parent.
  if (own.length === subcommands.length) return [described, ...children];
  const asked = { name: "command", words: own.flatMap(namesOf), paths: "none" } as const;
  return [
    described,
    ...children,
    { path: [...described.path, "help"], subcommands: [], options: [], operands: [asked] },
  ];
}

function namesOf(command: Command): string[] {
  return [command.name(), ...command.aliases()];
}

function describeOption(option: Option, known: KnownWords): CompletedOption {
  const { long, short, description, argChoices } = option;
  const flags = [short, long].filter((flag) => flag !== undefined);
  const [, name] = /[<[](.+?)[>\]]/.exec(option.flags) ?? [];
  const value = name === undefined ? undefined : describeValue(name, argChoices ?? known[flags.at(-1)!]);
  return { flags, description, value };
}

function describeOperand(operand: Argument, known: KnownWords): CompletedValue {
  return describeValue(operand.name(), operand.argChoices ?? known[operand.name()]);
}

const FILES = new Set(["file", "path", "task"]);

function describeValue(name: string, words: readonly string[] = []): CompletedValue {
  return { name, words, paths: name === "dir" ? "folders" : FILES.has(name) ? "files" : "none" };
}
