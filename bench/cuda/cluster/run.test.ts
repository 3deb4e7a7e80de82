import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { runCluster } from "./run.js";

/** Stands in for the program: writes the files of a run of four steps, and logs only what its level asks for. */
const PROGRAM = `
  import { mkdirSync, writeFileSync } from "node:fs";
  const option = (name) => process.argv[process.argv.indexOf(name) + 1];
  const out = option("--out");
  mkdirSync(out, { recursive: true });
  const steps = Array.from({ length: Number(option("--steps")) }, (_, step) => ({ type: "step", step, samples: 8, loss: 2, ms: { step: 10 } }));
  writeFileSync(out + "/metrics.jsonl", steps.map((line) => JSON.stringify(line) + "\\n").join(""));
  writeFileSync(out + "/summary.json", JSON.stringify({ stateHash: "abc" }));
  const msg = "worker 1: the model's gradient is computed operation by operation, which is slower, because it is";
  if (option("--log-level") === "info") console.error(JSON.stringify({ level: 30, msg }));
`;

describe("runCluster()", () => {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-run-"));
  after(() => rmSync(folder, { recursive: true }));

  const run = (source: string, limitMs = 60_000) => {
    const main = join(folder, "main.mjs");
    writeFileSync(main, source);
    const options = { taskFile: "task.json", out: join(folder, "out"), workers: 2, steps: 4, limitMs, main };
    return runCluster({ on: "cpu", backend: "tfjs-node" }, options);
  };

  it("reads a run's files, and from its log why gradients were not compiled", async () => {
    const found = await run(PROGRAM);
    assert.ok(!("problem" in found), JSON.stringify(found));
    const { workers, steps, stateHash, busy, refused } = found;
    assert.deepEqual(
      { workers, steps, stateHash, busy, refused },
      {
        ...{ workers: 2, steps: 4, stateHash: "abc", busy: null },
        refused: "computed operation by operation, which is slower, because it is",
      },
    );
  });

  it("says why a run has no figures", async () => {
    assert.deepEqual(await run('console.error("No worker is left."); process.exit(3)'), {
      problem: "ended with exit code 3: No worker is left.",
    });
    assert.deepEqual(await run("setInterval(() => {}, 1000)", 200), { problem: "did not end within 0 s" });
  });
});
