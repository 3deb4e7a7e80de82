import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openWorkplace, type Running, TINY_TASK, type Workplace } from "./isobatch.test.helper.js";

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

describe("isobatch status", () => {
  let workplace: Workplace;
  let run: Running;
  let address: string;
  before(async () => {
    workplace = openWorkplace();
    // Long enough for all of the tests below.
    workplace.write("task.json", { ...TINY_TASK, samples: 64_000_000, checkpointEverySamples: 64_000_000 });
    run = workplace.start(["run", "task.json", "--workers", "1", "--out", "run", "--compute-threads", "1"]);
    await run.until(/server at (\S+)\n.*has joined/s);
    address = /server at (\S+)\n/.exec(run.output.stdout)![1];
  });
  after(() => workplace.close());

  it("prints the run's state once where there is no terminal", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await workplace.run(["status", address, "--run", "run"]);
    assert.equal(code, 0, stderr);
    for (const label of ["task", "phase", "step", "samples", "κ", "checkpoint", "shard 0"]) {
      assert.match(stdout, new RegExp(`^${label} `, "m"));
    }
  });

  it("prints one JSON object with these fields", { timeout: 60_000 }, async () => {
    const { stdout } = await workplace.run(["status", address, "--run", "run", "--json"]);
    const status = JSON.parse(stdout) as Record<string, unknown> & { workers: object[]; shards: object[] };
    assert.deepEqual(Object.keys(status), [
      ...["version", "runId", "task", "phase", "term", "step", "steps", "samples", "samplesTotal"],
      ...["trainingSamples", "testSamples", "model"],
      ...[
        "samplesPerSecond",
        "secondsLeft",
        "loss",
        "evaluation",
        "microBatchSize",
        "microBatchesPerStep",
        "kappaRule",
      ],
      ...["learningRate", "gamma1", "gamma2", "noiseScale", "workersAdvised", "advice"],
      ...["failure", "workerFailure", "checkpointStep", "workers", "shards"],
    ]);
    assert.deepEqual(Object.keys(status.workers[0]), [
      ...["id", "host", "processId", "state", "device", "backend", "flags", "computeThreads", "microBatches"],
      ...["microBatchesPerSecond", "lastSeenSeconds", "transport"],
    ]);
    assert.deepEqual(Object.keys(status.shards[0]), [
      ...["index", "address", "state", "version", "firstChunk", "endChunk"],
    ]);
    // 28 × 28 pixels to 8 units to 10 classes, each with its bias.
    const parameters = (784 + 1) * 8 + (8 + 1) * 10;
    assert.deepEqual(status.model, { kind: "sequential", layers: 3, parameters, trainedParameters: parameters });
    assert.deepEqual([status.trainingSamples, status.testSamples], [1_000, 200]);
    const { task, microBatchSize, microBatchesPerStep, samplesTotal } = status;
    assert.deepEqual([task, microBatchSize, microBatchesPerStep, samplesTotal], ["task", 16, 4, 64_000_000]);
  });

  it("redraws a terminal until q is pressed, and leaves it as it was", { timeout: 60_000 }, async (test) => {
    if (spawnSync("script", ["--version"]).error)
      return test.skip("script, which provides a terminal, is not installed");
    const command = ["exec", process.execPath, MAIN, "status", address, "--run", join(workplace.folder, "run")];
    const terminal = spawn("script", ["-qec", command.join(" "), "/dev/null"]);
    test.after(() => terminal.kill("SIGKILL"));
    let output = "";
    const drawings = (): number => output.split("q or Ctrl-C leaves").length - 1;
    const twice = new Promise<void>((resolve) => {
      terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (drawings() >= 2) resolve();
      });
    });
    const ended = new Promise<number | null>((resolve) => terminal.once("close", resolve));
    await Promise.race([twice, ended]);
    terminal.stdin.write("q");
    assert.equal(await ended, 0, output);
    assert.ok(drawings() >= 2, output);
    assert.ok(output.startsWith("\x1b[?1049h"), "it uses the alternate screen");
    assert.ok(output.endsWith("\x1b[?25h\x1b[?1049l"), "the former screen and the cursor are restored");
  });

  it("does not disturb the run", () =>
    assert.ok(workplace.processes().includes(run.processId) || process.platform !== "linux"));
});
