import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { filesWith, ROOT } from "./source/sources.js";
import { chooseTests, type TestChoice, testFilesOf } from "./source/test-files.js";

const sources = testFilesOf(filesWith([".ts"])).map((file) => ({ ...file, path: file.path.replace(/\.ts$/, ".js") }));
const compiled = readdirSync(join(ROOT, "dist"), { recursive: true })
  .map(String)
  .filter((path) => path.endsWith(".test.js"))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(ROOT, "dist", path), "utf8") }));

describe("the choice of tests", () => {
  it("loses none: each runs under npm test or under npm run test:all -- --rest", () => {
    const files = testFilesOf(compiled);
    assert.ok(files.length > 200, `only ${files.length} test files were found`);
    const paths = (choice: TestChoice): string[] => chooseTests(files, choice).map(({ path }) => path);
    const all = paths({ all: true });
    assert.deepEqual(all, sources.map(({ path }) => path).sort(), "test:all runs the test files that have a source");
    assert.deepEqual([...new Set([...paths({}), ...paths({ rest: true })])].sort(), all);
  });

  it("is known by the import of one helper, which each file that has a share makes itself", () => {
    const helper = "shared/all-cases.test.helper.ts";
    for (const { path, text } of filesWith([".ts"])) {
      if (path !== helper && path !== "test/test-files.test.ts") assert.doesNotMatch(text, /ISOBATCH_TESTS/, path);
      if (!/\.test\.ts$/.test(path)) assert.doesNotMatch(text, /import .*\/all-cases\.test\.helper\.js"/, path);
    }
  });

  it("runs every case of what npm test leaves something out of, in .ci/run", () => {
    const commands = readFileSync(join(ROOT, ".ci/run"), "utf8").split("\n");
    const rest = commands.indexOf("npm run -s test:all -- --rest");
    assert.ok(rest > 0, "CI runs the rest of the tests");
    assert.equal(commands.filter((line) => line !== "").at(-1), "npm test", "npm test comes last, with its totals");
  });

  it("takes the short files, and a share of some", () => {
    const text = 'import { ALL } from "../shared/all-cases.test.helper.js";';
    const files = testFilesOf([
      { path: "a/one.test.js", text: "" },
      { path: "a/two.test.js", text },
      { path: "b/three.long.test.js", text: "" },
      { path: "b/four.test.helper.js", text },
      { path: "b/five.js", text },
    ]);
    const chosen = (choice: TestChoice): string =>
      chooseTests(files, choice)
        .map(({ path }) => path.split(".")[0])
        .join();
    assert.equal(chosen({}), "a/one,a/two");
    assert.equal(chosen({ all: true }), "a/one,a/two,b/three");
    assert.equal(chosen({ rest: true }), "a/two,b/three");
    assert.equal(chosen({ words: ["a/"] }), "a/one,a/two");
    assert.equal(chosen({ words: ["three", "one"] }), "a/one,b/three", "a long file by its name");
    assert.equal(chosen({ words: ["test"] }), "a/one,a/two", "no long file by a word that short ones have too");
    assert.equal(chosen({ all: true, words: ["test"] }), "a/one,a/two,b/three");
    assert.equal(chosen({ rest: true, words: ["a/"] }), "a/two");
    assert.equal(chosen({ words: ["nothing"] }), "");
  });
});
