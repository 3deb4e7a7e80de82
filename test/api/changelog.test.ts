// What has changed of the public API since the last release must be in the changelog.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(new URL(".", import.meta.url)), "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Declaration {
  readonly name: string;
  readonly text: string;
  readonly isFunction: boolean;
}

/** What a report of api-extractor declares, without its comments. */
function declarationsIn(report: string): Declaration[] {
  const blocks = report.split(/^\/\/ @public.*$/m).slice(1);
  return blocks.map((block) => {
    const text = block
      .replaceAll(/^\s*\/\/.*$/gm, "")
      .replaceAll(/\s+/g, " ")
      .trim();
    const [, kind, name] = /^export (?:declare )?(\w+) (\w+)/.exec(text) ?? [];
    return { name, text, isFunction: kind === "function" };
  });
}

/** The names that were added, removed or changed. Before the first release with this API, all functions are new. */
function changedNames(report: string, released: string | undefined): string[] {
  const now = declarationsIn(report);
  if (released === undefined) return now.filter(({ isFunction }) => isFunction).map(({ name }) => name);
  const textOf = (all: readonly Declaration[], name: string): string =>
    all
      .filter((one) => one.name === name)
      .map(({ text }) => text)
      .join("\n");
  const before = declarationsIn(released);
  const names = new Set([...now, ...before].map(({ name }) => name));
  return [...names].filter((name) => textOf(now, name) !== textOf(before, name));
}

/** Those that a changelog's part about what is not released yet does not name. */
function missingIn(changelog: string, names: readonly string[]): string[] {
  const [, unreleased = ""] = /^## \[Unreleased\]$([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog) ?? [];
  return [...new Set(names)].filter((name) => !new RegExp(`\\b${name}\\b`).test(unreleased));
}

describe("a change of the public API", () => {
  const report = read("api/isobatch.api.md");

  it("is in the changelog, under what is not released yet", () => {
    const released = existsSync(join(root, "api/released.api.md")) ? read("api/released.api.md") : undefined;
    const missing = missingIn(read("CHANGELOG.md"), changedNames(report, released));
    assert.deepEqual(
      missing,
      [],
      "CHANGELOG.md does not name these public names under Unreleased, but they have changed",
    );
  });

  it("is found whatever it is: added, removed, or with another field or parameter", () => {
    const before =
      "```ts\n// @public\nexport function a(x: number): void;\n\n// @public\nexport interface B {\n    // (undocumented)\n    readonly b: number;\n}\n";
    const after = `${before.replace("readonly b: number", "readonly b: string")}\n// @public\nexport type C = 1;\n`;
    assert.deepEqual(changedNames(before, before), []);
    assert.deepEqual(changedNames(after, before), ["B", "C"]);
    assert.deepEqual(changedNames(before, after), ["B", "C"]);
    assert.deepEqual(changedNames(before.replace("// (undocumented)", ""), before), []);
    assert.deepEqual(missingIn("## [Unreleased]\n\n- `B` has c.\n\n## [1.0.0]\n\n- C", ["B", "C"]), ["C"]);
  });

  it("documents every name", () => {
    const declared = declarationsIn(report).map(({ name }) => name);
    assert.ok(declared.length > 40, `${declared.length} names`);
    assert.doesNotMatch(report, /^\/\/ @public.*\(undocumented\)/m, "a public name has no comment");
  });
});
