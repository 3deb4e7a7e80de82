/** What a machine can refuse a program: each case has one sentence and the right exit code, and loses nothing. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openWorkplace, TINY_TASK, type Workplace } from "./isobatch.test.helper.js";

const LIMIT = { timeout: 120_000 };
const QUICK = "--steps 4 --workers 1 --compute-threads 1 --backend cpu";

describe("a machine that refuses something", { skip: process.platform !== "linux" }, () => {
  let workplace: Workplace;
  before(() => {
    workplace = openWorkplace();
    workplace.write("tiny.json", TINY_TASK);
    mkdirSync(join(workplace.folder, "odd", "lock.json"), { recursive: true });
  });
  after(() => workplace.close());

  describe("a run whose standard output is on a full disk", () => {
    const goesOn = "The command continues without its reports.";
    const hashes: string[] = [];

    for (const [out, umask, errors] of [
      ["open", "000", ""],
      ["closed", "077", "2>/dev/full"],
    ]) {
      it(`continues training, and says so once${errors && ", if it can"}`, LIMIT, async () => {
        const line = `umask ${umask}; "$@" run tiny.json ${QUICK} --out ${out} >/dev/full ${errors}`;
        const { code, stderr } = await workplace.shell(line);
        assert.equal(stderr, errors ? "" : `Can't write to standard output: the disk is full. ${goesOn}\n`);
        assert.equal(code, 0);
        const folder = join(workplace.folder, out);
        hashes.push(JSON.parse(readFileSync(join(folder, "summary.json"), "utf8")).stateHash);
        assert.equal(hashes[0], hashes.at(-1));
        assert.ok(!readdirSync(folder).includes("lock.json"));
      });

      it(`creates nothing that others may ${umask === "000" ? "write" : "read"} under the umask ${umask}`, () => {
        const modes = modesIn(join(workplace.folder, out));
        assert.ok(modes.length > 20, `${modes.length} files`);
        const forbidden = umask === "000" ? 0o022 : 0o077;
        assert.deepEqual(
          modes.filter(([, mode]) => (mode & forbidden) !== 0),
          [],
        );
      });
    }
  });

  describe("a command", { concurrency: 2 }, () => {
    const refusals: readonly (readonly [line: string, code: number, sentence: RegExp])[] = [
      [`"$@" completion bash >/dev/full`, 1, /^Can't write to standard output: the disk is full\. Free some space/],
      [`"$@" run tiny.json --out /proc/x`, 2, /^Can't make the folder \/proc\/x: no folders can be made in \/proc\./],
      [`"$@" run tiny.json --out odd`, 2, /^odd\/lock\.json is a folder, where a file should be\. Remove it, or/],
      [`ulimit -f 1; "$@" run tiny.json ${QUICK} --out big`, 1, /^Can't write .* larger than is allowed here \(ulimit/],
      [`ulimit -n 40; "$@" run tiny.json --out few`, 1, /^Can't .*: this process has the most files open that it may/],
      [`mkdir gone; cd gone; rmdir ../gone; "$@" run tiny.json`, 2, /^Can't find the working directory: it has been/],
    ];
    for (const [line, code, sentence] of refusals) {
      it(`says what is wrong: ${line}`, LIMIT, async () => {
        const ended = await workplace.shell(line);
        assert.match(ended.stderr, sentence);
        assert.deepEqual([ended.code, ended.stderr.trimEnd().split("\n").length], [code, 1], ended.stderr);
      });
    }
  });

  it("leaves no process behind", () => assert.deepEqual(workplace.processes(), []));
});

/** Every file and folder, from `folder` itself on, with the permissions of each. */
function modesIn(folder: string): [path: string, mode: number][] {
  const paths = ["", ...readdirSync(folder, { recursive: true }).map(String)];
  return paths.map((path) => [path, statSync(join(folder, path)).mode & 0o777]);
}
