import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import {
  childrenOf,
  isAlive,
  openWorkplace,
  type Running,
  TINY_TASK,
  untilQuiet,
  type Workplace,
} from "./isobatch.test.helper.js";

/** Long enough that a signal finds it training; it never trains to its end. */
const ENDLESS = { ...TINY_TASK, samples: 64_000_000, evaluateEverySamples: 64_000_000, checkpointEverySamples: 64_000 };
const LIMIT = { timeout: 120_000 };
/** Less common ways to end a run. */
const RARE = { ...LIMIT, skip: !ALL };

describe("how a run ends", { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(() => {
    workplace = openWorkplace();
    workplace.write("tiny.json", TINY_TASK);
    workplace.write("endless.json", ENDLESS);
  });
  after(() => workplace.close());

  const summaryOf = (out: string): { stateHash: string; steps: number } =>
    JSON.parse(readFileSync(join(workplace.folder, out, "summary.json"), "utf8"));
  const stepsDone = /[1-9][\d,]* of 64,000,000 samples/;
  const start = async (out: string, ...options: string[]): Promise<Running> => {
    const run = workplace.start(["run", "endless.json", "--compute-threads", "1", "--out", out, ...options]);
    await run.until(/has joined.*has joined/s);
    await run.until(/untrained: test loss/);
    return run;
  };

  it("Ctrl-C stops it after its step with a checkpoint, and the same command resumes from there", LIMIT, async () => {
    const run = await start("once");
    run.pressCtrlC();
    const { code, stdout, stderr } = await run.ended;
    assert.deepEqual([code, stderr], [130, ""]);
    assert.doesNotMatch(stdout, /died|left/);
    assert.match(stdout, /press Ctrl-C again to stop at once\n.*stopped; the same command resumes it/s);
    const { steps } = summaryOf("once");
    const again = workplace.start(["run", "endless.json", "--steps", String(steps + 5), "--out", "once"]);
    const resumed = await again.ended;
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, new RegExp(`resuming at step ${steps.toLocaleString("en-US")} `));
    assert.equal(summaryOf("once").steps, steps + 5);
  });

  it("Ctrl-C pressed twice ends it at once", RARE, async () => {
    const run = await start("twice");
    run.pressCtrlC();
    run.pressCtrlC();
    assert.equal((await run.ended).code, 130);
  });

  it("SIGTERM stops it with a checkpoint and exit code 0", LIMIT, async () => {
    const run = await start("terminated");
    run.kill("SIGTERM");
    const { code, stdout } = await run.ended;
    assert.equal(code, 0);
    assert.match(stdout, /checkpoint of step [\d,]+ written\n/);
  });

  // `npm test` has the same in test/faults/workers.test.ts.
  it("a worker killed with kill -9 is started again, and the bits are those of an undisturbed run", RARE, async () => {
    const args = ["--steps", "200", "--workers", "2", "--compute-threads", "1"];
    const undisturbed = await workplace.run(["run", "endless.json", "--out", "undisturbed", ...args]);
    assert.equal(undisturbed.code, 0, undisturbed.stderr);
    const run = await start("disturbed", ...args);
    const [worker] = childrenOf(run.processId);
    if (worker !== undefined) process.kill(worker, "SIGKILL");
    const { code, stdout } = await run.ended;
    assert.equal(code, 0);
    if (worker !== undefined) assert.match(stdout, /Worker \d died and is started again\. It was killed \(SIGKILL\)/);
    assert.equal(summaryOf("disturbed").stateHash, summaryOf("undisturbed").stateHash);
  });

  it("kill -9 of the server also ends its workers and shards", LIMIT, async () => {
    const run = await start("killed", "--shards", "2");
    await run.until(stepsDone);
    const children = childrenOf(run.processId);
    run.kill("SIGKILL");
    await run.ended;
    while (children.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it(
    "SIGTERM makes a worker leave with exit code 0; a server without workers does not wait for one",
    RARE,
    async () => {
      const server = workplace.start(["server", "endless.json", "--listen", "127.0.0.1:0", "--out", "served"]);
      await server.until(/ISOBATCH_TOKEN=\S+ .* worker join \S+\n/);
      const [, token, address] = /ISOBATCH_TOKEN=(\S+) .* worker join (\S+)/.exec(server.output.stdout)!;
      const worker = workplace.start(["worker", "join", address, "--compute-threads", "1"], { ISOBATCH_TOKEN: token });
      await server.until(stepsDone);
      worker.kill("SIGTERM");
      assert.equal((await worker.ended).code, 0);
      await server.until(/has left/);
      server.kill("SIGTERM");
      const { code, stdout } = await server.ended;
      assert.equal(code, 0);
      assert.match(stdout, /stopped; the same command resumes it/);
    },
  );

  it("closing its output ends it quietly, after its step and with a checkpoint", RARE, async () => {
    const run = await start("unread");
    run.closeOutput();
    const { code, stderr } = await run.ended;
    assert.deepEqual([code, stderr], [141, ""]);
    assert.ok(summaryOf("unread").steps > 0);
    assert.ok(!existsSync(join(workplace.folder, "unread", "lock.json")));
  });
});

describe("a run that has ended", () => {
  it("leaves no process behind", RARE, async () => {
    const workplace = openWorkplace();
    workplace.write("tiny.json", TINY_TASK);
    const { code, stderr } = await workplace.run(["run", "tiny.json", "--shards", "2", "--workers", "2"]);
    assert.equal(code, 0, stderr);
    await untilQuiet(workplace);
    workplace.close();
  });
});
