import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addEvaluation, createHistory } from "../../charts/index.js";
import { liveStatus } from "../live/status.js";
import { createMadeUpRun } from "../made-up-run.test.helper.js";
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
    assert.equal(progressOf(status).text, "50 % · 10,240 of 20,480 samples · 0.17 of 0.34 epochs · 1.9 s left");
    const whole = { ...status, samples: 90_000, samplesTotal: 600_000, secondsLeft: null };
    assert.equal(progressOf(whole).text, "15 % · 90,000 of 600,000 samples · 1.50 of 10 epochs");
    assert.equal(workersSummary(status.workers), "3 computing · wasm · 39.0 micro-batches/s together");
    assert.match(adviceOf(status), /^Up to 8 workers .* · 3 micro-batches given to another worker · 2 pushes refused$/);
    assert.equal(bytesText(98_765_432), "98.8 MB");
    assert.deepEqual([bytesText(0), bytesText(999), bytesText(null)], ["0 B", "999 B", "–"]);
    assert.deepEqual([ago(0.4), ago(12.3)], ["now", "12 s ago"]);
  });

  it("keep their places before anything is known", () => {
    const names = (facts: readonly { name: string }[]): string[] => facts.map(({ name }) => name);
    const history = createHistory();
    assert.deepEqual(names(factsOf(undefined, history)), names(factsOf(status, history)));
    assert.ok(factsOf(undefined, history).every(({ value }) => value === "–" || value === "0"));
  });

  it("name the best evaluation where it is not the last", () => {
    const history = createHistory();
    const accuracyOf = (last: number) => {
      addEvaluation(history, [history.evaluations.length, 64, 1, last]);
      const facts = factsOf({ ...status, testAccuracy: last }, history);
      return facts.find(({ name }) => name === "Test accuracy");
    };
    assert.deepEqual(accuracyOf(0.9), { name: "Test accuracy", value: "90.00 %", more: "" });
    assert.deepEqual(accuracyOf(0.85), { name: "Test accuracy", value: "85.00 %", more: "best 90.00 %" });
  });
});
