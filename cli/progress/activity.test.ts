import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { activityOf, createActivityClock } from "./activity.js";

const workersIn = (...states: string[]) => states.map((state) => ({ state }));

describe("activityOf()", () => {
  it("says what happens before the first step, and nothing of steps", () => {
    const start = { phase: "boundary", step: 0, workers: [], workersStarted: 2 };
    assert.equal(activityOf({ ...start, phase: "restoring" }), "loading the newest checkpoint");
    assert.equal(activityOf(start), "starting 2 worker processes");
    assert.equal(activityOf({ ...start, workersStarted: 0 }), "waiting for workers to join");
    assert.equal(activityOf({ ...start, workers: workersIn("joining") }), "the worker loads the model");
    assert.equal(
      activityOf({ ...start, workers: workersIn("joining", "loading weights") }),
      "the workers load the model",
    );
    assert.equal(activityOf({ ...start, workers: workersIn("idle") }), "waiting for 1 more worker");
    const ready = { ...start, workers: workersIn("idle", "computing") };
    assert.equal(activityOf({ ...ready, phase: "evaluating" }), "evaluating the untrained model");
    assert.equal(activityOf({ ...ready, phase: "stepping" }), "computing the first step");
    assert.equal(activityOf({ ...ready, phase: "stepping", step: 1 }), undefined);
    assert.equal(activityOf({ ...ready, phase: "evaluating", step: 9 }), "evaluating");
    assert.equal(activityOf({ ...ready, phase: "ended", step: 9 }), "finishing");
  });
});

describe("createActivityClock()", () => {
  it("adds a time to what takes longer, from its own start", () => {
    const timed = createActivityClock();
    assert.equal(timed("a", 0), "a");
    assert.equal(timed("a", 2_999), "a");
    assert.equal(timed("a", 4_500), "a (4 s)");
    assert.equal(timed("b", 5_000), "b");
    assert.equal(timed(undefined, 6_000), undefined);
    assert.equal(timed("b", 9_000), "b");
  });
});
