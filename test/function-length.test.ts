import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const ROOMS = ["shared", "tasks", "server", "backends", "compute", "worker", "experiment", "cli", "bench", "scripts"];
const LINES_MAX = 100;

interface Found {
  readonly at: string;
  readonly lines: number;
}

/**
 * The functions of a file that the formatter has laid out: each begins on a line that ends with the brace of its body,
 * and ends on the next line of the same indentation that starts with a brace.
 */
function functionsOf(path: string, text: string): Found[] {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    if (!/(=> \{|\)(: [^=]*)? \{)$/.test(line) || /^\s*(\} )?(if|for|while|switch|else|catch)\b/.test(line)) return [];
    const indentation = /^ */.exec(line)![0];
    const length = lines.slice(i + 1).findIndex((other) => other.startsWith(`${indentation}}`)) + 2;
    const name = /(\w+)\s*(?:<.*)?\(/.exec(line.replace(/\b(async|export|default|function|const)\b/g, ""))?.[1];
    return [{ at: `${path} ${name ?? `line ${i + 1}`}`, lines: length }];
  });
}

const sources = ROOMS.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true })
    .map((path) => join(room, String(path)))
    .filter((path) => /\.(ts|mjs)$/.test(path) && !/\.test\.|\.d\.ts$|\/generated\//.test(path)),
);

describe("a function outside tests", () => {
  it(`has at most ${LINES_MAX} lines`, () => {
    const found = sources.flatMap((path) => functionsOf(path, readFileSync(join(root, path), "utf8")));
    // The search would be blind if it found few.
    assert.ok(found.length > 1_500, `only ${found.length} functions were found`);
    const long = found.filter(({ lines }) => lines > LINES_MAX);
    assert.deepEqual(long, []);
  });

  it("is found whatever it looks like", () => {
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
      assert.deepEqual(
        functionsOf("a.ts", `${head}${body}\n${indentation}}\n`),
        [{ at: `a.ts ${name}`, lines: 5 }],
        head,
      );
    }
    assert.deepEqual(functionsOf("a.ts", `if (a) {${body}\n}\n`), []);
  });
});
