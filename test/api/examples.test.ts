// The examples in the public API's documentation run as they are written, in order and in one folder.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { ALL } from "../../shared/all-cases.test.helper.js";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

interface Example {
  readonly name: string;
  readonly code: string;
}

/** What is exported as a function, with the code of its `@example`. */
function examplesIn(source: string): Example[] {
  const documented = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:async )?function (\w+)/g);
  const examples = [...documented].map(([, comment, name]) => {
    const [, code = ""] = /@example\s+\* ```js\n([\s\S]*?)\n \* ```/.exec(comment) ?? [];
    return { name, code: code.replaceAll(/^ \* ?/gm, "") };
  });
  // A further overload has its own comment, and shares the first one's example.
  return examples.filter(({ name }, i) => examples.findIndex((first) => first.name === name) === i);
}

describe("the public API's examples", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-examples-"));
    mkdirSync(join(folder, "node_modules"));
    // As an installation is found, without being one.
    symlinkSync(root, join(folder, "node_modules", "isobatch"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const examples = examplesIn(readFileSync(join(root, "index.ts"), "utf8"));

  it("are there for every function", () => {
    const names = [
      "train",
      "serve",
      "join",
      "evaluate",
      "predict",
      "loadRun",
      "exportModel",
      "defineTask",
      "experiment",
    ];
    assert.deepEqual(
      examples.map(({ name }) => name),
      names,
    );
    for (const { name, code } of examples) assert.match(code, new RegExp(`\\b${name}\\(`), name);
  });

  for (const { name, code } of ALL ? examples : []) {
    it(`of ${name}() does what it says and prints something`, { timeout: 120_000 }, () => {
      const file = join(folder, `${name}.mjs`);
      writeFileSync(file, code);
      const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
        cwd: folder,
        encoding: "utf8",
        // The home of a person who has installed nothing.
        env: { PATH: process.env.PATH, HOME: folder },
      });
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.equal(stderr, "");
      assert.notEqual(stdout, "");
    });
  }
});
