import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { broken, PROMISES } from "./promises.test.helper.js";
import { filesWith, ROOT } from "./source/sources.js";

describe("the promises that tests hold", () => {
  const page = readFileSync(join(ROOT, "docs/explanation/promises.md"), "utf8").replace(/\s+/g, " ");
  const tests = filesWith([".ts"]).filter(({ path }) => path.startsWith("test/") && !path.includes("/promises.test"));

  for (const [name, sentence] of Object.entries(PROMISES)) {
    it(`are those of the documentation, and each has a test: ${name}`, () => {
      assert.ok(page.includes(sentence), `docs/explanation/promises.md has no "${sentence}"`);
      const named = tests.filter(({ text }) => text.includes(`"${name}"`));
      assert.ok(named.length > 0, "no assertion names it");
    });
  }

  it("are all promises of the documentation", () => {
    const items = readFileSync(join(ROOT, "docs/explanation/promises.md"), "utf8")
      .split("\n## ")[0]
      .split(/\n(?=\d+\. )/)
      .slice(1)
      .map((item) => item.replace(/\s+/g, " "));
    assert.ok(items.length >= 7);
    for (const item of items) {
      assert.ok(
        Object.values(PROMISES).some((sentence) => item.includes(sentence)),
        `no test names the promise "${item}"`,
      );
    }
  });

  it("are named where they break", () => {
    assert.equal(
      broken("noSilentDamage", "It was loaded."),
      'A promise is broken: "A damaged checkpoint is never loaded silently". It was loaded.',
    );
  });
});
