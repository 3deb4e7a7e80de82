import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openWorkplace, type Running, TINY_TASK, type Workplace } from "./isobatch.test.helper.js";

/** Long enough that a signal finds it training even on a busy machine. */
const STEPS = 300;
const TASK = {
  ...TINY_TASK,
  samples: STEPS * 64,
  evaluateEverySamples: STEPS * 64,
  checkpointEverySamples: STEPS * 64,
};

describe("a server that an orchestrator moves", { timeout: 120_000 }, () => {
  let workplace: Workplace;
  before(() => {
    workplace = openWorkplace();
    workplace.write("task.json", TASK);
  });
  after(() => workplace.close());

  const hashOf = (out: string): string =>
    JSON.parse(readFileSync(join(workplace.folder, out, "summary.json"), "utf8")).stateHash;
  const serve = (port: number): Running =>
    workplace.start([
      ...["server", "task.json", "--listen", `127.0.0.1:${port}`, "--out", "moved"],
      ...["--token-file", "token", "--stay"],
    ]);

  it("gets its worker back, has the bits of an undisturbed run, and stays up after the run", async () => {
    const undisturbed = await workplace.run(["run", "task.json", "--out", "undisturbed", "--backend", "wasm"]);
    assert.equal(undisturbed.code, 0, undisturbed.stderr);

    const first = serve(0);
    await first.until(/ worker join \S+\n/);
    assert.equal(statSync(join(workplace.folder, "token")).mode & 0o777, 0o600);
    const [, address, port] = /join (\S+:(\d+))\n/.exec(first.output.stdout)!;
    const worker = workplace.start(["worker", "join", address, "--token-file", "token", "--compute-threads", "1"]);
    await first.until(/[1-9][\d,]* of 19,200 samples/);
    first.kill("SIGTERM");
    const { code, stdout } = await first.ended;
    assert.equal(code, 0);
    assert.match(stdout, /stopping after this step and a checkpoint; workers wait for the server\n/);
    assert.match(stdout, /stopped; the same command resumes it/);

    const away = await workplace.run(["health", address, "--wait", "0.2"]);
    assert.equal(away.code, 1);
    assert.match(away.stderr, /^Cannot reach 127\.0\.0\.1:\d+: nothing listens there/);

    const second = serve(Number(port));
    await second.until(/resuming at step [1-9].*trained\n.*report/s);
    assert.equal((await worker.ended).code, 0, worker.output.stderr);
    assert.equal(hashOf("moved"), hashOf("undisturbed"));

    const health = await workplace.run(["health", address]);
    assert.deepEqual([health.code, health.stdout], [0, "SERVING\n"]);
    const status = await workplace.run(["status", address, "--token-file", "token"]);
    assert.match(status.stdout, /phase +ended/);
    second.kill("SIGTERM");
    assert.equal((await second.ended).code, 0);
  });
});
