import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { parseFailSetting } from "./fail-point.js";

describe("parseFailSetting()", () => {
  it("reads point:n, and nothing as no fail point", () => {
    assert.deepEqual(parseFailSetting("checkpoint.rename:2"), { point: "checkpoint.rename", passage: 2 });
    assert.equal(parseFailSetting(undefined), undefined);
    assert.equal(parseFailSetting(""), undefined);
  });

  it("refuses what is not point:n, quoting it", () => {
    for (const value of ["checkpoint.rename", "checkpoint.rename:0", ":1", "a b:1", "a:1e3"]) {
      assert.throws(() => parseFailSetting(value), { message: new RegExp(`is "${value}"; write point:n`) });
    }
  });
});

describe("failAt()", () => {
  const program = `import { failAt, parseFailSetting, setFailPoint } from ${JSON.stringify(new URL("./fail-point.js", import.meta.url).href)};
    setFailPoint(parseFailSetting(process.argv[1]));
    for (let i = 1; i <= 3; i++) { process.stdout.write(String(i)); failAt("other"); failAt("here"); }`;
  const run = (setting: string) =>
    spawnSync(process.execPath, ["--input-type=module", "-e", program, setting], { encoding: "utf8" });

  it("kills the process at the named passage of the named point, not before", () => {
    const { signal, stdout } = run("here:2");
    assert.deepEqual({ signal, stdout }, { signal: "SIGKILL", stdout: "12" });
  });

  it("lets a process live that was given no point, or another", () => {
    for (const setting of ["", "elsewhere:1"]) assert.equal(run(setting).stdout, "123");
  });
});
