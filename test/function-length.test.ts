import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { functionsOf } from "./source/functions.js";
import { codeFiles } from "./source/sources.js";

const LINES_MAX = 100;

describe("a function outside tests", () => {
  it(`has at most ${LINES_MAX} lines`, () => {
    const found = codeFiles().flatMap(functionsOf);
    // Finding few would mean that the search does not work.
    assert.ok(found.length > 1_500, `only ${found.length} functions were found`);
    const long = found.filter(({ lines }) => lines > LINES_MAX);
    assert.deepEqual(long, [], "split these functions into parts with one subject each");
  });

  it("is found in every form", () => {
    const body = "\n  x();".repeat(3);
    const forms = {
      "export function plain(a: number): number {": "plain",
      "async function later<T>(a: T) {": "later",
      "const arrow = (a: number): number => {": "line 1",
      "  method(a) {": "method",
      "): Promise<void> {": "line 1",
    };
    for (const [head, name] of Object.entries(forms)) {
      const indentation = /^ */.exec(head)![0];
      const text = `${head}${body}\n${indentation}}\n`;
      assert.deepEqual(functionsOf({ path: "a.ts", text }), [{ at: `a.ts ${name}`, lines: 5 }], head);
    }
    assert.deepEqual(functionsOf({ path: "a.ts", text: `if (a) {${body}\n}\n` }), []);
  });
});
