import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunOverview } from "../../server/index.js";
import { createPaint } from "../progress/view.js";
import { runLines } from "./describe.js";

const now = Date.parse("2026-01-02T12:00:00Z");
const complete: RunOverview = {
  ...{ folder: "runs/mnist", task: "mnist", runId: "r", state: "complete", steps: 938, trainingLoss: 0.01 },
  facts: {
    ...{ modelKind: "sequential", modelLayers: 4, parameters: 669_706, trainedParameters: 669_706 },
    ...{ trainingSamples: 60_000, testSamples: 10_000 },
  },
  ...{ samples: 240_000, samplesTotal: 240_000, failure: null },
  last: { step: 938, loss: 0.0544, accuracy: 0.984 },
  best: { step: 820, loss: 0.0541, accuracy: 0.9843 },
  ...{ stateHash: "082b34be7492fec1", changedAt: "2026-01-02T09:30:00Z" },
};
const stopped: RunOverview = {
  ...{ ...complete, folder: "runs/cut", state: "stopped", samples: 90_000, stateHash: null, facts: null },
  ...{ last: { step: 9, loss: 1.5, accuracy: null }, best: null, changedAt: null },
};
const linesOf = (runs: Parameters<typeof runLines>[0], columns?: number) =>
  runLines(runs, now, { columns, paint: createPaint(false) });

describe("runLines()", () => {
  it("shows all in a pipe", () => {
    assert.deepEqual(
      linesOf([complete, stopped]),
      [
        "run         task   model       parameters  samples            epochs  test loss  accuracy  best     state     when         hash",
        "runs/mnist  mnist  sequential  669,706     240,000            4       0.0544     98.40 %   98.43 %  complete  2 h 30 min ago  082b34be",
        "runs/cut    mnist  –           –           90,000 of 240,000  –       1.50       –         –        stopped   –            –",
      ].map((line) => line.replace(/(when|–) +(hash|–)$/, (_, a, b) => `${a.padEnd(14)}  ${b}`)),
    );
  });

  it("leaves out what matters least on a narrow terminal, and never the result", () => {
    for (const columns of [60, 80, 120]) {
      const lines = linesOf([complete, stopped], columns);
      for (const line of lines) assert.ok(line.length < columns, `${line.length} of ${columns}: ${line}`);
      assert.match(lines[1], /^runs\/mnist .*98\.40 % .*complete/);
    }
    assert.match(linesOf([complete], 120)[1], /240,000 +4 .*082b34be/);
  });

  it("colours the states that ask for attention", () => {
    const paint = createPaint(true);
    const [, line] = runLines([{ ...complete, task: "failed", state: "failed" }], now, { columns: undefined, paint });
    assert.match(line, /^runs\/mnist {2}failed .*\S {2}\S+failed/);
  });

  it("names what can't be read below the others", () => {
    const lines = linesOf([{ folder: "runs/x", problem: "runs/x/run.json is damaged." }, complete]);
    assert.equal(lines.at(-1), "runs/x: runs/x/run.json is damaged.");
    assert.deepEqual(linesOf([{ folder: "runs/x", problem: "bad" }]), ["runs/x: bad"]);
  });
});
