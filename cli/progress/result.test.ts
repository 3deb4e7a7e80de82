import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Summary } from "../../server/record/index.js";
import { createLink } from "./links.js";
import { nextCommands, resultLines } from "./result.js";
import { createPaint } from "./view.js";

const summary: Summary = {
  ...{ task: "t", optimizer: "o", runId: "r", version: "0", stateHash: "h", steps: 20, samples: 1_280 },
  ...{ samplesPerSecond: 64, durationSeconds: 20, recomputedSteps: 0, finalEvaluation: null, workers: [] },
  ...{ numerics: null, bitExact: true, terms: 1, finishedAt: "2026-01-01T00:00:00Z", failure: null },
  ...{ trainingLoss: { first: 2.3, last: 0.5, steps: 10, risen: false }, extendedAtSamples: [] },
};
const plain = createPaint(false);
const linesOf = (fields: object) => {
  const result = { outcome: "complete", folder: "runs/t", trainingSamples: 640, program: "isobatch" } as const;
  return resultLines({ ...result, summary: { ...summary, ...fields } }, plain, createLink(false));
};

describe("resultLines()", () => {
  it("shows what came of a run, one line each", () => {
    assert.deepEqual(linesOf({}), [
      "t trained",
      "  samples    1,280 in 20 steps, 2 epochs",
      "  speed      64.0 samples/s for 20 s",
      "  state      h",
      "  report     runs/t/report.html",
    ]);
  });

  it("says that a run has ended worse than it started", () => {
    const lines = linesOf({ trainingLoss: { first: 2.3, last: 508, steps: 10, risen: true } });
    assert.ok(
      lines.includes(
        "  loss       508 at the end, above the 2.30 of the first step: lower learningRate, or look at the data",
      ),
    );
  });

  it("says where a schedule was stretched, and shows what an older version has summed up", () => {
    assert.ok(linesOf({ extendedAtSamples: [640] }).includes("  extended   after 640 samples, by --extend"));
    assert.equal(linesOf({ extendedAtSamples: undefined, trainingLoss: undefined }).length, 5);
  });
});

describe("nextCommands()", () => {
  it("can be pasted, as the program was called", () => {
    const lines = nextCommands({ program: "npx isobatch", folder: "runs/my run" }, plain);
    assert.deepEqual(lines, [
      "  test it    npx isobatch evaluate 'runs/my run'",
      "  export it  npx isobatch export 'runs/my run' --format tfjs",
    ]);
  });
});
