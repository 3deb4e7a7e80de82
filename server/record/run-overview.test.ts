import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createLayout } from "../../shared/layout/index.js";
import { findRuns } from "./find-runs.js";
import { openRunDirectory } from "./run-directory.js";
import { readRunOverview } from "./run-overview.js";

const root = mkdtempSync(join(tmpdir(), "isobatch-runs-"));
after(() => rmSync(root, { recursive: true }));

const facts = {
  modelKind: "sequential",
  modelLayers: 1,
  parameters: 6,
  trainedParameters: 6,
  trainingSamples: 100,
  testSamples: 20,
};

/** A run of 400 samples in 10 steps that has got as far as these lines and this summary say. */
function makeRun(name: string, lines: readonly object[], summary?: object): string {
  const folder = join(root, name);
  const directory = openRunDirectory({
    folder,
    version: "0.1.0",
    topology: "{}",
    facts,
    task: { name: "t", hash: "h", json: JSON.stringify({ name: "t", samples: 400 }) },
    layout: createLayout([{ name: "dense/kernel", shape: [2, 3], kind: "parameter", decay: true }]),
  });
  directory.close();
  writeFileSync(join(folder, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  if (summary !== undefined) writeFileSync(join(folder, "summary.json"), JSON.stringify(summary));
  return folder;
}

const step = (done: number, loss: number) => ({ type: "step", step: done - 1, samples: 40 * done, loss });
const test = (done: number, loss: number, accuracy: number | null) => ({
  type: "evaluation",
  step: done,
  samples: 40 * done,
  loss,
  accuracy,
});
const end = (steps: number, failure: object | null = null) => ({
  steps,
  samples: 40 * steps,
  stateHash: "5f0c",
  finishedAt: "2026-01-02T03:04:05.000Z",
  failure,
});

describe("readRunOverview()", () => {
  it("shows the last and the best evaluation of a run that is complete, none of untrained weights", () => {
    const lines = [test(0, 9, 0.99), step(1, 3), test(5, 0.4, 0.9), test(10, 0.5, 0.8), step(10, 0.25)];
    const { folder: _, runId: __, ...overview } = readRunOverview(makeRun("complete", lines, end(10)));
    assert.deepEqual(overview, {
      task: "t",
      state: "complete",
      facts,
      steps: 10,
      samples: 400,
      samplesTotal: 400,
      trainingLoss: 0.25,
      last: { step: 10, loss: 0.5, accuracy: 0.8 },
      best: { step: 5, loss: 0.4, accuracy: 0.9 },
      stateHash: "5f0c",
      changedAt: "2026-01-02T03:04:05.000Z",
      failure: null,
    });
  });

  it("takes the lowest loss for the best where there is no accuracy", () => {
    const { best } = readRunOverview(makeRun("numbers", [test(1, 3, null), test(2, 1, null), test(3, 2, null)]));
    assert.deepEqual(best, { step: 2, loss: 1, accuracy: null });
  });

  it("distinguishes runs that have stopped, failed or are running from complete ones", () => {
    const stateOf = (folder: string) => readRunOverview(folder).state;
    assert.equal(stateOf(makeRun("new", [])), "stopped");
    assert.equal(stateOf(makeRun("stopped", [step(3, 1)], end(3))), "stopped");
    const failed = readRunOverview(makeRun("failed", [step(3, 1)], end(3, { code: "diverged", reason: "It is NaN." })));
    assert.deepEqual([failed.state, failed.failure], ["failed", "It is NaN."]);
    const folder = makeRun("runs", [step(10, 1)], end(10));
    const holder = { host: "elsewhere", processId: 1, startTicks: null, since: "2026-01-01T00:00:00.000Z" };
    writeFileSync(join(folder, "lock.json"), JSON.stringify(holder));
    assert.equal(stateOf(folder), "running");
  });

  it("has no hash where the run was resumed after its summary and then killed", () => {
    const overview = readRunOverview(makeRun("killed", [step(3, 1), step(4, 1)], end(3)));
    assert.deepEqual([overview.state, overview.steps, overview.stateHash], ["stopped", 4, null]);
  });
});

describe("findRuns()", () => {
  it("finds run directories also inside folders of folders, and none inside a run directory", () => {
    const inner = makeRun("sweep/lr/1e-3", []);
    mkdirSync(join(inner, "copy"));
    writeFileSync(join(inner, "copy", "run.json"), "{}");
    assert.deepEqual(findRuns(join(root, "sweep")), [inner]);
    assert.deepEqual(findRuns(inner), [inner]);
    assert.throws(() => findRuns(join(root, "nowhere")), { code: "invalid_input", message: /^There is no folder/ });
  });
});
