import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import type { WorkerEffect, WorkerEvent } from "./messages.js";
import {
  ATTACHMENT,
  attachedCore,
  CONNECT_WAIT_MS,
  kindsOf,
  lease,
  RECONNECT_WAIT_MS,
  reportsOf,
  startCore,
} from "./worker.test.helper.js";

const LOST = new IsobatchError("unavailable", "The stream broke.");
const lost: WorkerEvent = { kind: "streamLost", error: LOST };
const attached: WorkerEvent = { kind: "attached", attachment: ATTACHMENT };
const away = (error: unknown, answered = false, retriable = true): WorkerEvent => ({
  kind: "attachFailed",
  error,
  retriable,
  answered,
});
const endingOf = (effects: readonly WorkerEffect[]) =>
  effects.flatMap((effect) => (effect.kind === "end" ? [effect.ending] : []))[0];

describe("a worker that is away", () => {
  it("tries again with growing pauses, and ends with what the server said last when its time is over", () => {
    const worker = startCore();
    const pauses = [50, 100, 200].map((afterMs) => {
      assert.deepEqual(worker.handle(away("closed")), [{ kind: "attach", afterMs, untilMs: CONNECT_WAIT_MS }]);
      return afterMs;
    });
    assert.equal(pauses.length, 3);
    worker.handle(away("come back later", true));
    worker.nowMs = CONNECT_WAIT_MS;
    assert.deepEqual(endingOf(worker.handle(away("closed"))), { error: "come back later" });
  });

  it("ends at once when it is refused", () => {
    assert.deepEqual(endingOf(startCore().handle(away("wrong token", true, false))), { error: "wrong token" });
  });

  it("ends as requested when it has to leave, in any phase of joining", () => {
    const left = { reason: "left", ok: true, message: "SIGTERM" };
    const leave: WorkerEvent = { kind: "leave", reason: "SIGTERM" };
    const waiting = attachedCore();
    waiting.handle(lost, { kind: "detached" });
    assert.deepEqual(waiting.handle(leave), [{ kind: "cancelAttach" }]);
    assert.deepEqual(endingOf(waiting.handle(away("interrupted", false, false))), left);
    const detaching = attachedCore();
    detaching.handle(lost, leave);
    assert.deepEqual(endingOf(detaching.handle({ kind: "detached" })), left);
    const arriving = startCore();
    arriving.handle(leave);
    assert.deepEqual(kindsOf(arriving.handle(attached)), ["watch", "watch", "report", "closeStream"]);
  });

  it("ends with the run that ended meanwhile", () => {
    const worker = attachedCore();
    worker.handle(lost, { kind: "detached" });
    assert.deepEqual(endingOf(worker.handle({ kind: "endedMeanwhile", ok: false, reason: "the disk is full" })), {
      reason: "run ended",
      ok: false,
      message: "the disk is full",
    });
  });
});

describe("a worker whose stream is lost", () => {
  it("gives up what it had, waits for its end, and joins again", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 0, 1), lease(0, 1, 2), lease(0, 2, 3));
    worker.computed(1);
    worker.nowMs = 1_000;
    assert.deepEqual(kindsOf(worker.handle(lost)), ["abandon", "cancelPush", "detach"]);
    assert.deepEqual(kindsOf(worker.computed(2)), ["releaseSlots"]);
    assert.deepEqual(worker.handle({ kind: "pushed", work: 1, shard: 0, lent: false }), []);
    assert.deepEqual(kindsOf(worker.handle({ kind: "pushed", work: 1, shard: 1, lent: false })), ["releaseSlots"]);
    assert.deepEqual(worker.handle({ kind: "detached" }), [
      { kind: "attach", afterMs: 50, untilMs: 1_050 + RECONNECT_WAIT_MS },
    ]);
    assert.deepEqual(kindsOf(worker.handle(attached)), ["watch", "watch"]);
    assert.deepEqual([worker.core.state.held, worker.core.state.queue], [undefined, []]);
  });

  it("ends when it is taken back and dropped again and again, counted from the first time", () => {
    const worker = attachedCore();
    worker.handle(lost, { kind: "detached" }, attached);
    worker.nowMs = 6_000;
    worker.handle(lost);
    const [again] = worker.handle({ kind: "detached" });
    assert.deepEqual(again, { kind: "attach", afterMs: 100, untilMs: RECONNECT_WAIT_MS + 100 });
    worker.nowMs = RECONNECT_WAIT_MS - 1_000;
    worker.handle(attached);
    worker.nowMs = RECONNECT_WAIT_MS;
    assert.deepEqual(endingOf(worker.handle(lost)), { error: LOST });
  });

  it("has its whole time again after a stream that was a good one: the server spoke, or it stood for long", () => {
    for (const good of [{ kind: "termOpened", term: 1, version: 0 }, undefined] as const) {
      const worker = attachedCore();
      worker.handle(lost, { kind: "detached" }, attached);
      worker.nowMs = RECONNECT_WAIT_MS + 5_000;
      if (good !== undefined) worker.handle(good);
      const [effect] = worker.handle(lost);
      assert.deepEqual(effect, { kind: "detach" });
      const [again] = worker.handle({ kind: "detached" });
      assert.deepEqual(again, { kind: "attach", afterMs: 50, untilMs: worker.nowMs + 50 + RECONNECT_WAIT_MS });
    }
  });
});

describe("a worker that leaves", () => {
  it("finishes what it computes and pushes, starts none of its other work, and closes the stream", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 0, 1), lease(0, 1, 2));
    assert.deepEqual(reportsOf(worker.handle({ kind: "drain", reason: "" })), ["leaving"]);
    assert.deepEqual(worker.handle(lease(0, 2, 3)), []);
    assert.deepEqual(reportsOf(worker.computed(1)), ["leaseComputed 0"]);
    worker.handle({ kind: "pushed", work: 1, shard: 0, lent: false });
    assert.deepEqual(kindsOf(worker.handle({ kind: "pushed", work: 1, shard: 1, lent: false })), [
      "releaseSlots",
      "closeStream",
    ]);
    assert.deepEqual(endingOf(worker.handle({ kind: "streamClosed" })), {
      reason: "left",
      ok: true,
      message: "the server asked for it",
    });
  });

  it("is not well when it was sent away for a reason", () => {
    const worker = attachedCore();
    assert.deepEqual(kindsOf(worker.handle({ kind: "drain", reason: "no memory" })), ["report", "closeStream"]);
    assert.deepEqual(endingOf(worker.handle({ kind: "streamClosed" })), {
      reason: "sent away",
      ok: false,
      message: "no memory",
    });
  });

  it("has left when its stream ends before", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 0, 1), { kind: "leave", reason: "SIGTERM" });
    assert.deepEqual(endingOf(worker.handle(lost)), { reason: "left", ok: true, message: "SIGTERM" });
  });
});

describe("a worker's end", () => {
  it("comes with the run's, and with its words", () => {
    const worker = attachedCore();
    assert.deepEqual(kindsOf(worker.handle({ kind: "runEnded", ok: true, reason: "the run has ended" })), [
      "closeStream",
    ]);
    assert.deepEqual(worker.publish(1, 0), [], "nothing is done any more");
    assert.deepEqual(endingOf(worker.handle({ kind: "streamClosed" })), {
      reason: "run ended",
      ok: true,
      message: "the run has ended",
    });
  });

  it("comes when it can't continue, after the reason was reported to the server; what is computed is no longer pushed", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 0, 1));
    const error = new Error("no threads");
    const reported = { reason: "no threads", transient: false };
    assert.deepEqual(kindsOf(worker.handle({ kind: "failed", error, reported })), ["report", "abandon", "closeStream"]);
    assert.deepEqual(kindsOf(worker.computed(1)), ["releaseSlots"]);
    assert.deepEqual(endingOf(worker.handle({ kind: "streamClosed" })), { error });
  });

  it("comes at once when it is stopped, and nothing is decided afterwards", () => {
    const worker = attachedCore();
    assert.deepEqual(endingOf(worker.handle({ kind: "stop" })), { reason: "stopped", ok: true });
    assert.deepEqual(worker.handle({ kind: "stop" }, attached, lease(0, 0, 1)), []);
  });
});
