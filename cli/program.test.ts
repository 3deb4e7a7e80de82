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

describe("an unknown option", () => {
  it("is answered with what it is called here, where another program has it", async () => {
    const complaint = async (line: string): Promise<string> => {
      let text = "";
      const fresh = createProgram(readEnvironment({}), () => {});
      const run = fresh.commands.find((command) => command.name() === "run")!;
      const { outputError } = run.configureOutput();
      run.configureOutput({
        writeErr(part) {
          text += part;
        },
        outputError,
      });
      await assert.rejects(fresh.parseAsync(["node", "isobatch", ...line.split(" ")]));
      return text;
    };
    assert.match(
      await complaint("run mnist --lr 0.1"),
      /^Unknown option '--lr' \(--lr is --set learningRate=… here\);/,
    );
    assert.match(await complaint("run mnist --step 5"), /^Unknown option '--step' \(did you mean --steps\?\);/);
  });
});
