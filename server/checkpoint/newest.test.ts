import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import { createLayout } from "../../shared/layout/index.js";
import { openRunDirectory } from "../record/index.js";
import { readNewestCheckpoint } from "./newest.js";
import { createCheckpointStore } from "./store.js";

const layout = createLayout([
  { name: "w", shape: [9], kind: "parameter", decay: true },
  { name: "norm/mean", shape: [2], kind: "tail", decay: false },
]);
const task = { name: "mnist", hash: "task-1", json: "{}" };
let folder: string;

/** Writes a checkpoint of every step in two slices; each value is the step. */
async function writeSteps(steps: readonly number[]): Promise<void> {
  const run = openRunDirectory({ folder, task, version: "0.1.0", topology: "{}", layout });
  for (const step of steps) {
    for (const [firstElement, endElement, parameters] of [
      [0, 4, 4],
      [4, 11, 5],
    ]) {
      const slice = { firstElement, endElement };
      const { checkpointsFolder, identity } = run;
      const store = createCheckpointStore({
        folder: checkpointsFolder,
        layout,
        slice,
        runId: identity.runId,
        taskHash: task.hash,
      });
      const fill = (length: number) => new Float32Array(length).fill(step);
      const state = { theta: fill(endElement - firstElement), m: fill(parameters), v: fill(parameters) };
      await store.write(state, { step, microBatches: 2 * step, c1: 0.5, c2: 0.25 });
    }
  }
  run.close();
}

function damage(step: number): void {
  const parent = join(folder, "checkpoints", `step-${String(step).padStart(9, "0")}`);
  truncateSync(join(parent, readdirSync(parent)[1]), 100);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isobatch-newest-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("readNewestCheckpoint()", () => {
  it("reads the newest step, whole, with the run's topology and layout", async () => {
    await writeSteps([5, 10]);
    const { meta, state, layout: found, topology, skipped } = readNewestCheckpoint(folder);
    assert.deepEqual([meta.step, meta.microBatches, meta.c1, meta.c2], [10, 20, 0.5, 0.25]);
    assert.deepEqual(
      [[...state.theta], [...state.m], [...state.v]],
      [11, 9, 9].map((n) => Array(n).fill(10)),
    );
    assert.deepEqual([found, topology, skipped], [layout, "{}", []]);
  });

  it("passes over a damaged one and says so", async () => {
    await writeSteps([5, 10]);
    damage(10);
    const { meta, skipped } = readNewestCheckpoint(folder);
    assert.equal(meta.step, 5);
    assert.match(skipped.join(), /step-000000010.elements-4-11\.safetensors is damaged: /);
  });

  it("fails with the reason when there is none, or none is sound", async () => {
    const code = (code: string, words: RegExp) => (error: unknown) =>
      error instanceof IsobatchError && error.code === code && words.test(error.message);
    assert.throws(() => readNewestCheckpoint(folder), code("invalid_input", /is not a run directory/));
    await writeSteps([]);
    assert.throws(() => readNewestCheckpoint(folder), code("invalid_input", /has no checkpoint yet/));
    await writeSteps([5]);
    damage(5);
    assert.throws(() => readNewestCheckpoint(folder), code("damaged", /no checkpoint that can be used\..*is damaged/));
  });
});
