// Documented command lines are accepted by the program. `npm run test:docs` runs them.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { readEnvironment } from "../../cli/environment.js";
import { createProgram } from "../../cli/program.js";
import { CHECKED_ELSEWHERE, checkedElsewhere } from "./checked-elsewhere.test.helper.js";
import { codeIn, commandsOf, INSTALLING_PAGE, LINKING_PAGES, PAGES, ROOT, read } from "./markdown.test.helper.js";

/** The program, which reads its arguments and then does nothing. */
function inert(): Command {
  const silence = (command: Command): void => {
    command.action(() => {}).configureOutput({ writeOut() {}, outputError() {} });
    for (const child of command.commands) silence(child);
  };
  const program = createProgram(readEnvironment({}), () => {});
  silence(program);
  return program;
}

/** The words of the first call of isobatch in a command line. */
function argumentsOf(text: string): string[] | undefined {
  const [, call] = /(?:^|[(;&] ?|[A-Z_]+=\S+ )isobatch (.*?)(?:[|>)\n]|$)/.exec(text) ?? [];
  return call?.match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'|'$/g, ""));
}

const all = PAGES.flatMap(commandsOf);

describe("the documentation's commands", () => {
  for (const { page, line, text } of all) {
    const words = argumentsOf(text);
    if (words === undefined) continue;
    it(`${page}:${line} is a command line of isobatch: ${text.split("\n").at(-1)}`, async () => {
      await inert()
        .parseAsync(words, { from: "user" })
        .catch((error: { code?: string }) => {
          if (error.code !== "commander.version") throw error;
        });
    });
  }

  it("that only other checks run name these checks", () => {
    const scripts = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object }).scripts;
    for (const { commands, by } of CHECKED_ELSEWHERE) {
      assert.ok(by in scripts || existsSync(join(ROOT, by)), `${by} is neither a script nor a file`);
      assert.ok(
        all.some(({ text }) => commands.test(text)),
        `no command matches ${commands}: remove its row`,
      );
    }
  });

  it("that need a checkout are run by another check, as a reader's folder has no package.json", () => {
    for (const command of all) {
      const { page, line, text } = command;
      if (!text.startsWith("npm ") || /^npm (start$|install )/.test(text) || page === INSTALLING_PAGE) continue;
      assert.ok(checkedElsewhere(command), `${page}:${line}: ${text} is in no row of checked-elsewhere.test.helper.ts`);
    }
  });

  it("are on every page that shows how something is done", () => {
    assert.ok(all.length >= 40, `${all.length} commands`);
    for (const page of PAGES.filter((name) => /getting|join|gpu|your-own|operating/.test(name))) {
      assert.ok(commandsOf(page).length >= 3, page);
    }
  });

  it("name existing commands and options in the text, too", () => {
    const names = new Set<string>();
    const collect = (command: Command): void => {
      for (const option of command.options) if (option.long) names.add(option.long);
      for (const child of command.commands) collect(child);
    };
    const program = createProgram(readEnvironment({}), () => {});
    collect(program);
    const foreign = /^(docker|kubectl|npm|source|pip|git|node|apt-get|tensorboard|openssl|curl)\b/;
    for (const page of PAGES) {
      for (const code of codeIn(read(page))) {
        if (foreign.test(code)) continue;
        for (const [option] of code.matchAll(/(?<![\w-])--[a-z][a-z0-9-]+/g)) {
          assert.ok(
            names.has(option) || ["--help", "--version", "--on", "--scale", "--volumes"].includes(option),
            `${page}: ${code}`,
          );
        }
        const words = /^isobatch ([a-z-]+(?: [a-z-]+)?)/.exec(code)?.[1].split(" ") ?? [];
        const command = program.commands.find((child) => [child.name(), ...child.aliases()].includes(words[0]));
        assert.ok(
          words.length === 0 || words[0].startsWith("-") || command !== undefined,
          `${page}: there is no ${code}`,
        );
      }
    }
  });
});

describe("the documentation's links", () => {
  for (const page of LINKING_PAGES) {
    it(`of ${page} lead to files and headings`, () => {
      for (const [, target] of read(page).matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path, anchor] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        assert.ok(existsSync(join(ROOT, file)), `${page} links to ${target}, which is not there`);
        if (anchor === undefined) continue;
        const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
          heading
            .toLowerCase()
            .replace(/[^\p{L}\p{N}_ -]/gu, "")
            .replaceAll(" ", "-"),
        );
        assert.ok(headings.includes(anchor), `${page} links to ${target}, and ${file} has no such heading`);
      }
    });
  }

  it("of the index lead to every page", () => {
    const linked = [...read("docs/README.md").matchAll(/\]\(([^)#]+)/g)].map(([, target]) => target);
    for (const page of PAGES.filter((name) => name.startsWith("docs/") && name !== "docs/README.md")) {
      assert.ok(linked.includes(page.slice("docs/".length)), `docs/README.md does not lead to ${page}`);
    }
  });
});
