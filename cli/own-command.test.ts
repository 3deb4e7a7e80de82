import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, it } from "node:test";
import { ownCommand, shellWord } from "./own-command.js";

describe("ownCommand()", () => {
  it("is the program's name where the path has it, and else how Node was called", (test) => {
    const folder = mkdtempSync(join(tmpdir(), "isobatch-own-"));
    test.after(() => rmSync(folder, { recursive: true }));
    const bin = join(folder, "bin");
    mkdirSync(join(folder, "isobatch"));
    mkdirSync(bin);
    const path = ["/nowhere", folder, bin].join(delimiter);
    const command = (): string => ownCommand({ PATH: path }, "/opt/my nets/dist/cli/main.js");
    assert.equal(command(), "node '/opt/my nets/dist/cli/main.js'", "a folder of that name is not a program");
    writeFileSync(join(bin, "isobatch"), "#!/bin/sh\n");
    chmodSync(join(bin, "isobatch"), 0o755);
    assert.equal(command(), "isobatch");
  });

  it("is npm's where npm started it, whatever npm has put on the path", () => {
    assert.equal(ownCommand({ PATH: "/usr/bin", npm_lifecycle_event: "npx" }, "/x/isobatch"), "npx isobatch");
    assert.equal(ownCommand({ npm_lifecycle_event: "isobatch" }, "/x/main.js"), "npm run -s isobatch --");
    assert.equal(ownCommand({ npm_lifecycle_event: "start" }, "/x/main.js"), "node /x/main.js");
  });
});

describe("shellWord()", () => {
  it("quotes what a shell would take apart", () => {
    assert.equal(shellWord("runs/a-1.b"), "runs/a-1.b");
    assert.equal(shellWord("my run's $HOME"), `'my run'\\''s $HOME'`);
  });
});
