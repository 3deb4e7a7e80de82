import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeFiles } from "./source/sources.js";
import { typeTwins } from "./source/type-names.js";

describe("an exported type's name", () => {
  it("means one thing in the whole project", () => {
    const lines = [...typeTwins(codeFiles())].map(([name, paths]) => `  ${name}: ${paths.join(", ")}`);
    assert.equal(lines.length, 0, `these files export different types of one name; rename one:\n${lines.join("\n")}`);
  });

  it("is found in every form of export", () => {
    const file = (path: string, text: string) => ({ path, text });
    const first =
      "export interface A {}\nexport type B = 1;\nexport declare class C {}\nexport enum D {}\ninterface E {}\n";
    const second = first.replaceAll("{}", "{ x: 1 }").replace("= 1", "=\n  | 2");
    const third = 'export type { A } from "a.js";\nexport const B = 1;\n';
    const files = [file("a.ts", first), file("b.ts", second), file("c.ts", third)];
    assert.deepEqual(
      [...typeTwins(files)],
      ["A", "B", "C", "D"].map((name) => [name, ["a.ts", "b.ts"]]),
    );
  });
});
