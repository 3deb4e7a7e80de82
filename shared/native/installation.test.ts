import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";

/** A number that no user has, as containers may run under. */
const STRANGER = 54_321;

describe("tensorFlowFolder()", () => {
  it("is named also for a user whom the system does not know, and who has no home", (t) => {
    const module = JSON.stringify(new URL("./installation.js", import.meta.url).href);
    const code = `import(${module}).then(({ tensorFlowFolder }) => console.log(tensorFlowFolder({})))`;
    const options = { encoding: "utf8", env: {}, cwd: "/", uid: STRANGER, gid: STRANGER } as const;
    const { stdout, stderr, error } = spawnSync(process.execPath, ["-e", code], options);
    if (error !== undefined || /EACCES|permission denied/.test(stderr)) {
      return t.skip("only root can become somebody else, who can read the program");
    }
    assert.equal(stdout.trim(), "/.local/share/isobatch/tensorflow", stderr);
  });
});
