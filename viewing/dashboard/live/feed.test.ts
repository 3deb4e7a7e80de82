import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addEvaluation, addStep, createHistory, cutBack, type MutableHistory } from "../../charts/history.js";
import { createMadeUpRun } from "../made-up-run.test.helper.js";
import type { Update } from "../view/live.js";
import { createFeed } from "./feed.js";

/** Applies updates as a page does. */
function apply(history: MutableHistory, updates: readonly Update[]): void {
  for (const [kind, value] of updates) {
    if (kind === "phases") history.phases = [...value];
    if (kind === "step") addStep(history, value);
    if (kind === "evaluation") addEvaluation(history, value);
    if (kind === "back") cutBack(history, value);
  }
}

describe("createFeed()", () => {
  it("lets a page that was away catch up to the server's own history, through a rollback too", () => {
    const run = createMadeUpRun({ workers: 2, steps: 0, stepsPlanned: 6_000 });
    const feed = createFeed(run.source);
    const page = createHistory();
    let cursor = feed.cursor;
    const catchUp = (): void => {
      apply(page, feed.since(cursor) ?? assert.fail("the updates are gone"));
      cursor = feed.cursor;
      assert.deepEqual(page, feed.snapshot().history);
    };
    assert.deepEqual(feed.snapshot().history, page);
    for (let i = 0; i < 3_000; i++) run.step();
    catchUp();
    catchUp();
    run.goBack(1_500);
    run.step();
    catchUp();
    assert.ok(page.points.every(([step]) => step <= 1_500));
    assert.equal(page.evaluations.filter(([step]) => step === 0).length, 1);
    feed.close();
  });

  it("sends a snapshot to a page that was away for long, or comes from another process", () => {
    const run = createMadeUpRun({ workers: 1, steps: 10 });
    const feed = createFeed(run.source);
    const before = feed.cursor;
    for (let i = 0; i < 10_000; i++) run.step();
    assert.equal(feed.since(before), undefined);
    for (const cursor of [
      createFeed(run.source).cursor,
      "",
      "x.1",
      `${feed.cursor}9`,
      feed.cursor.replace(/\d+$/, "-1"),
    ]) {
      assert.equal(feed.since(cursor), undefined, cursor);
    }
    assert.deepEqual(feed.since(feed.cursor), []);
    assert.ok(JSON.stringify(feed.snapshot()).length < 500_000);
  });

  it("has what happened in words, joins and losses of workers included", () => {
    const run = createMadeUpRun({ workers: 1, steps: 16, stepsPlanned: 16 });
    const feed = createFeed(run.source);
    run.goBack(8);
    run.append({
      type: "event",
      event: "workerLeft",
      at: "2026-01-01T00:00:00.000Z",
      worker: "a",
      reason: "it has left",
    });
    assert.deepEqual(
      feed.snapshot().happenings.map(({ text }) => text),
      [
        "Server started, Isobatch 0.1.0",
        "Training starts from the initial weights",
        "Worker node-00-1 joined: WebAssembly SIMD on AMD EPYC, 2 threads",
        "8 checkpoints written, the newest of step 16",
        "Training continues from the checkpoint of step 8; 1 step is computed again",
        "Worker a left: it has left",
      ],
    );
  });
});
