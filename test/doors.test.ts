import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countPastDoors, doorImports } from "./source/doors.js";
import { codeFiles, roomOf } from "./source/sources.js";

/** The most imports that may go past a door, by "importing room → door". A number may only fall. */
const PAST_DOORS_MAX: Record<string, number> = {
  ". → tasks": 1,
  "api → server": 1,
  "api → tasks": 5,
  "cli → experiment": 2,
  "cli → shared/credentials": 1,
  "cli → tasks": 1,
  "experiment → tasks": 1,
  "server → tasks": 3,
};

describe("the doors of the rooms", () => {
  it("are used by imports from other rooms", () => {
    const imports = doorImports(codeFiles());
    // Finding few would mean that the search does not work.
    assert.ok(imports.length > 500, `only ${imports.length} imports of other rooms were found`);
    const counts = [...countPastDoors(imports)].filter(([key, count]) => count > (PAST_DOORS_MAX[key] ?? 0));
    const lines = counts.map(([key, count]) => {
      const [room, door] = key.split(" → ");
      const them = imports.filter(({ from, door: to, way }) => way === "past" && to === door && roomOf(from) === room);
      const which = them.map(({ from, to }) => `\n    ${from} imports ${to}`).join("");
      return `  ${key}: ${count}, and at most ${PAST_DOORS_MAX[key] ?? 0} are allowed${which}`;
    });
    assert.equal(lines.length, 0, `import these from the room's index.ts:\n${lines.join("\n")}`);
  });

  it("are found from everywhere", () => {
    const z = ["../../a/index.js", "../../a/b/index.js", "../../a/x.js"];
    const imports = doorImports([
      { path: "a/index.ts", text: "" },
      { path: "a/x.ts", text: 'import "./b/y.js";' },
      { path: "a/b/index.ts", text: 'import { x } from "../x.js";' },
      { path: "a/b/y.ts", text: "" },
      { path: "c/d/z.ts", text: `import { a } from "${z[0]}";\nawait import("${z[1]}");\nexport * from "${z[2]}";` },
      { path: "z.ts", text: 'import { y } from "./a/b/y.js";\nimport { d } from "./c/d/z.js";' },
    ]);
    assert.deepEqual(
      imports.map(({ from, to, door, way }) => `${from} ${to} ${door} ${way}`),
      [
        "c/d/z.ts a/index.ts a outer",
        "c/d/z.ts a/b/index.ts a inner",
        "c/d/z.ts a/x.ts a past",
        "z.ts a/b/y.ts a past",
      ],
    );
    const counts = [...countPastDoors(imports)].map(([key, count]) => `${key}: ${count}`);
    assert.deepEqual(counts, [". → a: 1", "c → a: 1"]);
  });
});
