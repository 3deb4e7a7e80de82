import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Happening, happeningOf, withHappening } from "./happenings.js";

const at = "2026-01-01T00:00:00.000Z";
const textOf = (event: string, details: object) => happeningOf({ event, at, ...details })?.text;

describe("happeningOf()", () => {
  const CASES: [event: string, details: object, text: string | undefined][] = [
    ["started", { version: "0.1.0" }, "Server started, Isobatch 0.1.0"],
    [
      "workerJoined",
      { worker: "vm-1", device: "WebAssembly with SIMD", computeThreads: 2 },
      "Worker vm-1 joined: WebAssembly with SIMD",
    ],
    ["workerLeft", { worker: "vm-1", reason: "its stream broke" }, "Worker vm-1 left: its stream broke"],
    [
      "kappa",
      { step: 0, from: null, kappa: 1, reason: "the task" },
      "1 micro-batch per step (κ) from step 0 on (the task)",
    ],
    [
      "kappa",
      { step: 1_200, from: 1, kappa: 4, reason: "2 workers" },
      "4 micro-batches per step (κ) instead of 1 from step 1,200 on (2 workers)",
    ],
    ["checkpoint", { step: 1_000 }, "Checkpoint of step 1,000 written"],
    ["restored", { term: 1, step: 0, recomputedSteps: 0 }, "Training starts from the initial weights"],
    ["restored", { term: 2, step: 8, recomputedSteps: 0 }, "Training continues from the checkpoint of step 8"],
    [
      "restored",
      { term: 2, step: 0, recomputedSteps: 1 },
      "Training continues from the checkpoint of step 0; 1 step is computed again",
    ],
    [
      "restored",
      { term: 3, step: 8, recomputedSteps: 26 },
      "Training continues from the checkpoint of step 8; 26 steps are computed again",
    ],
    ["failed", { reason: "The disk is full." }, "The run failed: The disk is full."],
    ["note", { message: "worker a is back" }, "Worker a is back"],
    ["something new", {}, undefined],
  ];
  for (const [event, details, text] of CASES) {
    it(`says "${text ?? "nothing"}"`, () => assert.equal(textOf(event, details), text));
  }
});

describe("withHappening()", () => {
  const list = (events: [string, object][], most = 100): Happening[] =>
    events.reduce<Happening[]>((all, [event, details]) => {
      const happening = happeningOf({ event, at, ...details });
      return happening === undefined ? all : withHappening(all, happening, most);
    }, []);

  it("keeps checkpoints in a row in one line, so that they push nothing out", () => {
    const checkpoints = Array.from({ length: 1_500 }, (_, i): [string, object] => ["checkpoint", { step: i + 1 }]);
    const texts = list([["note", { message: "first" }], ...checkpoints, ["note", { message: "last" }]], 3).map(
      ({ text }) => text,
    );
    assert.deepEqual(texts, ["First", "1,500 checkpoints written, the newest of step 1,500", "Last"]);
  });

  it("drops the oldest", () => {
    const notes = Array.from({ length: 10 }, (_, i): [string, object] => ["note", { message: `n${i}` }]);
    assert.deepEqual(
      list(notes, 2).map(({ text }) => text),
      ["N8", "N9"],
    );
  });
});
