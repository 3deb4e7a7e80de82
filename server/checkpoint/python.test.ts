import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createLayout } from "../../shared/layout/index.js";
import { type Python, preparePython } from "../python.test.helper.js";
import { createCheckpointStore } from "./store.js";

// Python's own reader is the judge of the format.
describe("a checkpoint in Python", () => {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-python-"));
  let python: Python;
  before(() => {
    python = preparePython("safetensors.numpy", ["numpy", "safetensors"]);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is read by safetensors.numpy.load_file, with names, shapes and values", async (t) => {
    if (python.interpreter === undefined) return t.skip(python.missing);
    const layout = createLayout([
      { name: "dense/kernel", shape: [2, 3], kind: "parameter", decay: true },
      { name: "dense/bias", shape: [4], kind: "parameter", decay: false },
      { name: "norm/mean", shape: [2], kind: "tail", decay: false, momentum: 0.9 },
    ]);
    const slice = { firstElement: 0, endElement: 12 };
    const store = createCheckpointStore({ folder, layout, slice, runId: "r", taskHash: "t" });
    const ramp = (length: number, from: number) => Float32Array.from({ length }, (_, i) => from + i);
    const state = { theta: ramp(12, 0.5), m: ramp(10, 100), v: ramp(10, 200) };
    const { path } = await store.write(state, { step: 3, microBatches: 6, c1: 0.1, c2: 0.2 });
    const half = createCheckpointStore({
      folder,
      layout,
      runId: "r",
      taskHash: "t",
      slice: { firstElement: 8, endElement: 12 },
    });
    const part = await half.write(
      { theta: ramp(4, 8.5), m: ramp(2, 108), v: ramp(2, 208) },
      { step: 4, microBatches: 8, c1: 0.1, c2: 0.2 },
    );
    const program = `
import json, sys
from safetensors.numpy import load_file
from safetensors import safe_open
for path in sys.argv[1:]:
    print(json.dumps({name: [str(a.dtype), list(a.shape), a.ravel().tolist()] for name, a in load_file(path).items()}))
    with safe_open(path, "numpy") as file: print(json.dumps(file.metadata()))
`;
    const run = spawnSync(python.interpreter, ["-c", program, path, part.path], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    const [tensors, metadata, partTensors] = run.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const values = (length: number, from: number) => [...ramp(length, from)];
    assert.deepEqual(tensors, {
      "theta/dense/kernel": ["float32", [2, 3], values(6, 0.5)],
      "theta/dense/bias": ["float32", [4], values(4, 6.5)],
      "theta/norm/mean": ["float32", [2], values(2, 10.5)],
      "m/dense/kernel": ["float32", [2, 3], values(6, 100)],
      "m/dense/bias": ["float32", [4], values(4, 106)],
      "v/dense/kernel": ["float32", [2, 3], values(6, 200)],
      "v/dense/bias": ["float32", [4], values(4, 206)],
    });
    assert.deepEqual([metadata.step, metadata.microBatches, metadata.c1, metadata.c2], ["3", "6", "0.1", "0.2"]);
    assert.deepEqual(partTensors, {
      "theta/dense/bias[2:4]": ["float32", [2], values(2, 8.5)],
      "theta/norm/mean": ["float32", [2], values(2, 10.5)],
      "m/dense/bias[2:4]": ["float32", [2], values(2, 108)],
      "v/dense/bias[2:4]": ["float32", [2], values(2, 208)],
    });
  });
});
