import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { readEnvironment } from "./environment.js";
import { createProgram } from "./program.js";

/** The command and all below it, with their full names. */
function walk(command: Command, above = ""): [name: string, command: Command][] {
  const name = `${above} ${command.name()}`.trim();
  return [[name, command], ...command.commands.flatMap((child) => walk(child, name))];
}

/** What `--help` prints. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut(part) {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

const program = createProgram(readEnvironment({}), () => {});

describe("--help", () => {
  for (const [name, command] of walk(program)) {
    it(`of ${name} says what it does and shows examples of it`, () => {
      const help = helpOf(command);
      assert.match(help, /^Usage: isobatch/);
      assert.ok(command.description().length > 10, "no description");
      const examples = [...help.matchAll(/^ {2}\$ (.*)\n {6}\S/gm)].map(([, line]) => line);
      assert.ok(
        examples.some((line) => line.includes(name)),
        `no example of ${name} in:\n${help}`,
      );
    });
  }
});
