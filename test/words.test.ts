import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { proseOfCode } from "./source/prose.js";
import { roomOf } from "./source/sources.js";
import { WORDS } from "./source/word-list.js";
import { readFiles, wordsIn } from "./source/words.js";

const SHOWN_MAX = 200;

const files = readFiles();

describe("what people read: comments, messages, help and documents", () => {
  for (const room of new Set(files.map(({ path }) => roomOf(path)))) {
    it(`is in plain English in ${room === "." ? "the root folder" : `${room}/`}`, () => {
      const found = files.filter(({ path }) => roomOf(path) === room).flatMap(wordsIn);
      const lines = found.slice(0, SHOWN_MAX).map(({ path, line, found, word }) => {
        return `  ${path}:${line} "${found}": say ${word.instead}`;
      });
      assert.equal(found.length, 0, `these are not plain English (test/source/word-list.ts):\n${lines.join("\n")}`);
    });
  }

  it("is looked for in every kind of text", () => {
    const named = (path: string, text: string): string[] =>
      wordsIn({ path, text }).map(({ line, found }) => `${line} ${found}`);
    assert.deepEqual(named("a.ts", "const a = 1; // it goes\n// on\n"), ["1 goes // on"]);
    assert.deepEqual(named("a.ts", "/**\n * So it begins\n * anew. */\n"), ["2 begins", "3 anew"]);
    assert.deepEqual(named("a.ts", 'say(`x y goes on`); const begun = x / 2; it("begins", 1);\n'), ["1 goes on"]);
    assert.deepEqual(named("a.ts", "const abortion = 1;"), ["1 abortion"]);
    assert.deepEqual(
      named("a.ts", "/** Of the process. */\n/**\n * Of it. */\n// Of course.\n  // Of two.\n").length,
      3,
    );
    assert.deepEqual(named("a.md", "Let it alone, whoever it is."), ["1 whoever"]);
  });

  it("is found among code", () => {
    const code =
      'const a = /"it\'s/.test(b) / 2; // one\ncall("x", "two words", `three four`);\n/* five\n six */ a / b / c;';
    assert.equal(proseOfCode(code).replace(/ +/g, " "), ' // one\n "two words" `three four` \n/* five\n six */ ');
  });

  it("has a list whose patterns match", () => {
    for (const { pattern } of WORDS) assert.ok(!new RegExp(pattern).test(""), pattern);
  });
});
