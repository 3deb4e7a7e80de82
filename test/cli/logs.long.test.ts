import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openWorkplace, TINY_TASK, type Workplace } from "./isobatch.test.helper.js";

type Line = Record<string, unknown>;

describe("the log of a cluster", () => {
  let workplace: Workplace;
  let lines: Line[];
  let runId: string;
  let token: string;
  before(async () => {
    workplace = openWorkplace();
    workplace.write("task.json", TINY_TASK);
    const args = ["run", "task.json", "--workers", "1", "--shards", "2", "--out", "run", "--log-level", "debug"];
    const { code, stderr } = await workplace.run(args);
    assert.equal(code, 0, stderr);
    lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    const run = readFileSync(join(workplace.folder, "run", "run.json"), "utf8");
    runId = (JSON.parse(run) as { runId: string }).runId;
    token = readFileSync(join(workplace.folder, "run", "token"), "utf8").trim();
  });
  after(() => workplace.close());

  const said = (pattern: RegExp): Line[] => lines.filter(({ msg }) => pattern.test(String(msg)));

  it("is JSON where there is no terminal, and every line of a run names it", () => {
    const others = lines.filter(({ run }) => run !== runId);
    // Before a worker has joined it has no run.
    for (const { msg } of others) assert.match(String(msg), /^worker 1: (not )?computing on /);
    assert.ok(lines.length > others.length);
  });

  it("has the worker, step and lease of all that is leased, computed and pushed", () => {
    for (const pattern of [/^lease given$/, /^worker 1: lease computed$/, /^worker 1: lease pushed$/]) {
      const found = said(pattern);
      assert.ok(found.length >= 20, `${found.length} lines of ${pattern}`);
      for (const { worker, step, lease } of found) {
        assert.match(String(worker), /-1$/);
        assert.ok(Number.isInteger(step) && Number.isInteger(lease), JSON.stringify({ step, lease }));
      }
    }
    assert.deepEqual(
      said(/^step committed$/).map(({ step }) => step),
      Array.from({ length: 20 }, (_, step) => step),
    );
  });

  it("never contains the token", () => {
    const [, secret] = /(?:isobatch_)?(\S{8,})/.exec(token)!;
    for (const line of lines) assert.ok(!JSON.stringify(line).includes(secret), JSON.stringify(line));
  });

  it("is formatted for people on request", async () => {
    const args = [
      "run",
      "task.json",
      "--workers",
      "1",
      "--out",
      ...["other", "--steps", "2"],
      "--log-level",
      "info",
      "--log-format",
      "pretty",
    ];
    const { stderr } = await workplace.run(args, { NO_COLOR: "1" });
    assert.match(stderr, /^\[\d\d:\d\d:\d\d\] INFO: .*worker 1: joined/m);
    assert.match(stderr, / \{.*"worker":"[^"]+-1"/);
  });
});
