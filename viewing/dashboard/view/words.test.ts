import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { liveStatus } from "../live/status.js";
import { createMadeUpRun } from "../made-up-run.test.helper.js";
import { CHARTS, recentLoss, spansDecades, spoken, valueText } from "./charts.js";
import { addStep, createHistory } from "./history.js";
import { adviceOf, ago, bytesText, factsOf, progressOf, stateOf, workersSummary } from "./summary.js";

const run = createMadeUpRun({ workers: 3, steps: 40 });
const status = liveStatus(run.source);

describe("the page's words", () => {
  it("say what the run does, or why it does nothing", () => {
    const states: [string, string][] = [
      [stateOf(undefined, "connecting").text, "Connecting"],
      [stateOf(status, "live").text, "Training"],
      [stateOf({ ...status, phase: "evaluating" }, "live").text, "Evaluating"],
      [stateOf({ ...status, workers: [] }, "live").text, "Waiting for workers"],
      [stateOf({ ...status, phase: "gathering" }, "live").text, "Waiting for a shard"],
      [stateOf(status, "lost").text, "Connection lost, reconnecting"],
      [stateOf({ ...status, phase: "ended" }, "lost").text, "The run has ended"],
      [stateOf({ ...status, phase: "ended", failure: "There is no memory." }, "live").text, "The run has failed"],
      [adviceOf({ ...status, phase: "ended", failure: "There is no memory." }), "There is no memory."],
      [
        adviceOf({ ...status, workerFailure: "no memory (3 times)" }).split(" · ")[0],
        "Workers fail: no memory (3 times)",
      ],
    ];
    for (const [said, expected] of states) assert.equal(said, expected);
  });

  it("count up what there is", () => {
    assert.equal(progressOf(status).text, "50 % · 10,240 of 20,480 samples · 1.9 s left");
    assert.equal(workersSummary(status.workers), "3 computing · wasm · 39.0 micro-batches/s together");
    assert.match(adviceOf(status), /^More workers: adding workers up to 8 .* · 3 leased again · 2 pushes refused$/);
    assert.equal(bytesText(98_765_432), "98.8 MB");
    assert.deepEqual([bytesText(0), bytesText(999), bytesText(null)], ["0 B", "999 B", "–"]);
    assert.deepEqual([ago(0.4), ago(12.3)], ["now", "12 s ago"]);
  });

  it("keep their places before anything is known", () => {
    const names = (facts: readonly { name: string }[]): string[] => facts.map(({ name }) => name);
    assert.deepEqual(names(factsOf(undefined, null)), names(factsOf(status, 0.5)));
    assert.ok(factsOf(undefined, null).every(({ value }) => value === "–" || value === "0"));
  });
});

describe("the page's curves", () => {
  it("have as many values as places, and tell their newest in words", () => {
    const history = createHistory(["step"]);
    for (let step = 0; step < 120; step++)
      addStep(history, [step, 64 * (step + 1), step < 70 ? 9 : 2, 0.1, 4, 2, null, 5]);
    for (const { curves } of CHARTS) for (const { x, y } of curves(history, 64)) assert.equal(x.length, y.length);
    assert.equal(recentLoss(history), 2);
    assert.equal(recentLoss(createHistory()), null);
    const rate = CHARTS.find(({ id }) => id === "learning-rate") ?? assert.fail();
    assert.equal(
      spoken("Learning rate", rate.curves(history, 64), ""),
      "Learning rate, newest values: learning rate 0.100",
    );
    assert.equal(spoken("Learning rate", rate.curves(createHistory(), 64), ""), "Learning rate: no data yet");
    assert.deepEqual(
      [valueText(97.654, "%"), valueText(4_096, ""), valueText(1.5, "ms")],
      ["97.65 %", "4,096", "1.50 ms"],
    );
    assert.deepEqual([spansDecades([2, 0.05]), spansDecades([2, 0.5]), spansDecades([2, 0])], [true, false, false]);
  });
});
