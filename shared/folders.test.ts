import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { makeFolders } from "./folders.js";

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), "isobatch-folders-"));
});
after(() => rmSync(root, { recursive: true }));

describe("makeFolders()", () => {
  it("makes what is missing, the outermost first, and nothing twice", () => {
    const wanted = ["a", "a/b", "a/b/c"].map((path) => join(root, path));
    assert.deepEqual(makeFolders(wanted[2], 0o700), wanted);
    assert.deepEqual(makeFolders(wanted[2]), []);
    assert.equal(statSync(wanted[1]).mode & 0o777, 0o700);
    symlinkSync(wanted[0], join(root, "link"));
    assert.deepEqual(makeFolders(join(root, "link", "d")), [join(root, "link", "d")]);
  });

  it("says why it can't, at once", () => {
    writeFileSync(join(root, "file"), "");
    symlinkSync("/nowhere/at/all", join(root, "dangling"));
    const cases: [path: string, message: RegExp][] = [
      [join(root, "file"), /file: something with that name already exists\. Remove it/],
      [join(root, "file", "x", "y"), /y: something else is where its path needs a folder\. Remove it/],
      [join(root, "dangling"), /dangling: something with that name already exists\. Remove it/],
    ];
    if (process.platform === "linux")
      cases.push(["/proc/x/y", /^Can't make the folder \/proc\/x: no folders can be made in \/proc/]);
    for (const [path, message] of cases) assert.throws(() => makeFolders(path), { code: "invalid_input", message });
  });

  it("is what the product makes folders with", () => {
    const project = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
    const sources = ["shared", "tasks", "server", "worker", "experiment", "cli"].flatMap((room) =>
      readdirSync(join(project, room), { recursive: true }).map((path) => join(project, room, String(path))),
    );
    const code = sources.filter((path) => path.endsWith(".ts") && !/\.test\./.test(path));
    assert.ok(code.length > 200);
    const recursive = code.filter((path) => /\bmkdir(?:Sync)?\([^;]*recursive: true/s.test(readFileSync(path, "utf8")));
    assert.deepEqual(recursive, []);
  });
});
