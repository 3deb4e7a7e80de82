/** Anything may be in the place of a run directory's file: the server reports it at once, or makes the file again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { OddResult } from "./odd-files-program.test.helper.js";

/** Far more than it takes; a program that waits for a pipe or retries forever is ended. */
const DEADLINE_MS = 60_000;

/** Nobody depends on these: they are made again, or left out. */
const EXPENDABLE = ["security/last-use.json", "security/server.crt", "security/server.key", "tensorboard"];

describe("a run directory with something odd in it", () => {
  const program = fileURLToPath(new URL("./odd-files-program.test.helper.js", import.meta.url));
  const { stdout, stderr, status, error } = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  const results = stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as OddResult]));

  it("is opened, or refused, in bounded time", () => {
    const last = results.at(-1);
    assert.equal(status, 0, `after ${last?.oddity} for ${last?.file}: ${error?.message ?? ""} ${stderr}`);
    assert.ok(results.length > 150, `${results.length} cases`);
  });

  for (const oddity of new Set(results.map((result) => result.oddity))) {
    it(`is refused in one sentence that names the ${oddity}`, () => {
      for (const { file, result } of results.filter((each) => each.oddity === oddity)) {
        if (EXPENDABLE.includes(file) && result === "opened") continue;
        // A certificate is replaced, which a folder can't be.
        assert.match(result, /^(\S+|Can't [a-z ]+\S+:?|The checkpoint \S+) .*\.$/, `${file}: ${result}`);
        assert.doesNotMatch(result, /\n|E[A-Z]{3,}/, file);
        assert.ok(result.includes(file), `${file}: ${result}`);
      }
    });
  }
});
