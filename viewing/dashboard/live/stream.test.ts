import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { describe, it, type TestContext } from "node:test";
import { createMadeUpRun } from "../made-up-run.test.helper.js";
import { createFeed } from "./feed.js";
import { liveStatus } from "./status.js";
import { openStream } from "./stream.js";

/** A connection that takes what is written and says whether it is full. */
function connection() {
  const written: string[] = [];
  const response = Object.assign(new EventEmitter(), {
    full: false,
    destroyed: false,
    write(text: string) {
      written.push(text);
      return !response.full;
    },
    end() {},
    destroy() {
      response.destroyed = true;
    },
  });
  return { response, written, asResponse: response as unknown as ServerResponse };
}

const names = (written: readonly string[]): string[] =>
  written.map((text) => /^event: (\w+)/.exec(text)?.[1] ?? "retry");

describe("openStream()", () => {
  it("starts with a snapshot, or with what a returning page has missed", () => {
    const run = createMadeUpRun({ workers: 1, steps: 3 });
    const feed = createFeed(run.source);
    const first = connection();
    openStream(first.asResponse, feed, undefined);
    assert.deepEqual(names(first.written), ["retry", "snapshot"]);
    const { cursor } = feed;
    assert.match(first.written[1], new RegExp(`^id: ${cursor}$`, "m"));
    run.step();
    const again = connection();
    openStream(again.asResponse, feed, cursor);
    assert.deepEqual(names(again.written), ["retry", "updates"]);
    const missed = JSON.parse(/^data: (.*)$/m.exec(again.written[1])?.[1] ?? "");
    assert.deepEqual(
      missed.map(([kind, row]: [string, number[]]) => [kind, row[0]]),
      [
        ["evaluation", 3],
        ["step", 3],
      ].slice(-missed.length),
    );
    for (const { response } of [first, again]) response.emit("close");
  });

  it("writes nothing to a full connection, and then one message however much has come", (test: TestContext) => {
    test.mock.timers.enable({ apis: ["setTimeout"] });
    const run = createMadeUpRun({ workers: 1, steps: 3 });
    const feed = createFeed(run.source);
    const { response, written, asResponse } = connection();
    const stream = openStream(asResponse, feed, undefined);
    response.full = true;
    run.step();
    test.mock.timers.tick(16);
    assert.deepEqual(names(written), ["retry", "snapshot", "updates"]);
    for (let i = 0; i < 20_000; i++) {
      run.step();
      if (i % 100 === 0) test.mock.timers.tick(16);
      if (i % 1_000 === 0) stream.status(liveStatus(run.source));
    }
    assert.equal(written.length, 3);
    response.full = false;
    response.emit("drain");
    assert.deepEqual(names(written.slice(3)), ["snapshot", "status"]);
    assert.ok(written[3].length < 500_000, `${written[3].length} characters`);
    response.emit("close");
  });

  it("puts what comes within a frame into one message", (test: TestContext) => {
    test.mock.timers.enable({ apis: ["setTimeout"] });
    const run = createMadeUpRun({ workers: 1, steps: 3 });
    const { response, written, asResponse } = connection();
    openStream(asResponse, createFeed(run.source), undefined);
    for (let i = 0; i < 50; i++) run.step();
    test.mock.timers.tick(16);
    assert.deepEqual(names(written), ["retry", "snapshot", "updates"]);
    response.emit("close");
  });

  it("cuts off a page that reads nothing for a minute", (test: TestContext) => {
    test.mock.timers.enable({ apis: ["setTimeout"] });
    const { response, asResponse } = connection();
    response.full = true;
    openStream(asResponse, createFeed(createMadeUpRun({ workers: 1, steps: 1 }).source), undefined);
    test.mock.timers.tick(59_999);
    assert.equal(response.destroyed, false);
    test.mock.timers.tick(1);
    assert.equal(response.destroyed, true);
    response.emit("close");
  });
});
