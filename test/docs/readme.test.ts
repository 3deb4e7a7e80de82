import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readEnvironment } from "../../cli/environment.js";
import { createProgram } from "../../cli/program.js";
import { builtInTasks } from "../../tasks/index.js";
import { codeIn, commandsOf, read, tableRows } from "./markdown.test.helper.js";

const LINES_MAX = 120;

describe("README.md", () => {
  const text = read("README.md");

  it("is short enough to be read", () => {
    const lines = text.trimEnd().split("\n").length;
    assert.ok(lines <= LINES_MAX, `README has ${lines} lines; at most ${LINES_MAX}: move what is longer to docs/`);
  });

  it("says what Isobatch is in two sentences, without a Greek letter", () => {
    const [, first] = text.split("\n\n");
    assert.match(first, /^Isobatch /);
    assert.equal(first.split(/\.(?:\s|$)/).filter((sentence) => sentence !== "").length, 2);
    assert.doesNotMatch(first, /\p{Script=Greek}/u);
  });

  it("shows how to run, to join and to train one's own model, and promises what the last one reaches", () => {
    const commands = commandsOf("README.md");
    for (const pattern of [/npm start/, /^isobatch server /, / worker join /]) {
      assert.ok(
        commands.some(({ text: command }) => pattern.test(command)),
        `no command is like ${pattern}`,
      );
    }
    const promised = commands.filter(({ percentMin }) => percentMin !== undefined);
    assert.ok(promised.length > 0 && promised.every(({ percentMin }) => percentMin! >= 95));
  });
});

describe("docs/reference/", () => {
  const firstWords = (page: string): string[] => tableRows(page).flatMap(([cell]) => codeIn(cell).slice(0, 1));

  it("describes every command in command-line.md", () => {
    const page = firstWords("docs/reference/command-line.md");
    const documented = page.flatMap((code) => /^isobatch ([a-z-]+)/.exec(code)?.[1] ?? []);
    const program = createProgram(readEnvironment({}), () => {});
    const commands = program
      .createHelp()
      .visibleCommands(program)
      .map((command) => command.name());
    assert.deepEqual([...documented].sort(), commands.filter((name) => name !== "help").sort());
  });

  it("describes every preset in models.md", () => {
    assert.deepEqual(firstWords("docs/reference/models.md").sort(), builtInTasks().sort());
  });

  it("has a glossary whose cross-references lead to entries", () => {
    const rows = tableRows("docs/reference/glossary.md").filter(([term]) => term !== "term");
    const known = rows.flatMap(([term]) => term.split(", "));
    for (const [term, meaning] of rows) {
      for (const [, reference] of meaning.matchAll(/(?<!\w)\*([^*]+)\*/g)) {
        const singular = reference.toLowerCase().replace(/es$|s$/, "");
        assert.ok(
          known.some((entry) => entry.toLowerCase().startsWith(singular)),
          `${term} refers to ${reference}, which has no entry`,
        );
      }
    }
  });
});
