import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createPaint } from "./view.js";
import { type WorkerView, workerLine } from "./worker-line.js";

const plain = createPaint(false);
const view: WorkerView = { state: "computing", task: "mnist", step: 1_234, samples: 65_536, samplesPerSecond: 1_305.4 };

describe("workerLine()", () => {
  it("shows what a worker computes, how fast, and what it does", () => {
    const line = workerLine(view, 80, plain);
    assert.equal(line, "mnist  step 1,234  65,536 samples  1,310/s  computing");
    const idle = { ...view, state: "loading the model", step: undefined, samples: 0, samplesPerSecond: 0 };
    assert.equal(workerLine(idle, 80, plain), "mnist  0 samples  0/s  loading the model");
  });

  it("keeps what the worker does on a narrow terminal, and fits it", () => {
    const waiting = { ...view, state: "waiting for the server" };
    for (const columns of [10, 30, 50, 80]) {
      for (const paint of [plain, createPaint(true)]) {
        const line = stripVTControlCharacters(workerLine(waiting, columns, paint));
        assert.ok([...line].length < columns, `${[...line].length} of ${columns}`);
        assert.ok(columns < 30 || line.includes("waiting for the server"), line);
      }
    }
  });
});
