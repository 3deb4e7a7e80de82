import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openWorkplace, untilQuiet, type Workplace } from "./isobatch.test.helper.js";

/**
 * A task that passes every check before the start and whose gradient fails in every worker: the model itself computes an
 * index that its Embedding does not have.
 */
const TASK = {
  model: {
    kind: "sequential",
    layers: [
      { layer: "Rescaling", scale: 10, inputShape: [2] },
      { layer: "Embedding", inputDim: 4, outputDim: 3 },
      { layer: "Flatten" },
      { layer: "Dense", units: 1 },
    ],
  },
  dataset: { kind: "csv", file: "tokens.csv", label: "y", target: "numbers" },
  loss: "meanSquaredError",
  microBatchSize: 4,
  samples: 400,
  learningRate: 0.001,
};
const ROWS = Array.from({ length: 40 }, (_, i) => `${i % 4},${(i * i) % 4},${i / 40}`);
const REASON =
  /Every worker fails at step 0 with the same error, 5 times .*: .* is \d0, but the Embedding layer .*\. Fix the cause/;

describe("a run whose every worker meets the same error", { timeout: 120_000 }, () => {
  let workplace: Workplace;
  before(() => {
    workplace = openWorkplace();
    workplace.write("task.json", TASK);
    workplace.write("tokens.csv", ["a,b,y", ...ROWS, ""].join("\n"));
  });
  after(() => workplace.close());

  it("ends with that error, reports it at any log level, and stores it in the run directory", async () => {
    const { code, stderr } = await workplace.run([
      "run",
      "task.json",
      "--out",
      "here",
      "--workers",
      "1",
      "--log-level",
      "error",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^${REASON.source}.*\n$`));
    const read = (file: string): string => readFileSync(join(workplace.folder, "here", file), "utf8");
    const { failure } = JSON.parse(read("summary.json"));
    assert.equal(failure.code, "failed");
    assert.match(failure.reason, REASON);
    assert.match(read("report.html"), /<p class="failure">The run has failed: Every worker fails/);
    assert.match(read("metrics.jsonl"), /"event":"failed"/);
    await untilQuiet(workplace);
  });

  it("also ends on a server with --stay: its workers end with the reason, and status shows it", async () => {
    const server = workplace.start([
      ...["server", "task.json", "--listen", "127.0.0.1:0", "--no-http", "--out", "served"],
      ...["--token-file", "token", "--stay"],
    ]);
    await server.until(/ worker join \S+\n/);
    const [, address] = /worker join (\S+)/.exec(server.output.stdout)!;
    const ended = await workplace.run(["worker", "join", address, "--token-file", "token", "--log-level", "error"]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^The run has failed: Every worker fails at step 0 /);

    await server.until(/The server stays for status and results/);
    const status = await workplace.run(["status", address, "--token-file", "token", "--json"]);
    const { phase, failure } = JSON.parse(status.stdout);
    assert.equal(phase, "ended");
    assert.match(failure, REASON);

    server.kill("SIGTERM");
    const { code, stderr } = await server.ended;
    assert.equal(code, 1);
    assert.match(stderr, REASON);
    await untilQuiet(workplace);
  });
});
