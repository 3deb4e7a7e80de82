import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import type { WorkerEvent } from "./messages.js";
import { ATTACHMENT, attachedCore, type Driven, kindsOf, lease, reportsOf } from "./worker.test.helper.js";

const REFUSED = { reason: "The push is refused.", transient: false };
const BROKEN = { reason: "The line is dead.", transient: true };

/** A worker that pushes leaves [0, 2) of step 0, in slots 10 and 11, as work 1. */
function pushing(slots?: { total: number; perLease: number }): Driven {
  const worker = attachedCore(slots && { slots });
  worker.hold(1, 0);
  worker.handle(lease(0, 0, 2));
  worker.computed(10, 11);
  return worker;
}

const taken = (shard: number, lent = false, work = 1): WorkerEvent => ({ kind: "pushed", work, shard, lent });
const broke = (shard: number): WorkerEvent => ({
  kind: "pushFailed",
  work: 1,
  shard,
  failure: BROKEN,
  broken: true,
  lent: false,
});
const refused = (shard: number): WorkerEvent => ({
  kind: "pushFailed",
  work: 1,
  shard,
  failure: REFUSED,
  broken: false,
  lent: false,
});
const RELEASE = { kind: "releaseSlots", work: 1, slots: [10, 11] };

describe("a worker's pushes", () => {
  it("hold their slots until every shard has answered", () => {
    const worker = pushing();
    assert.deepEqual(worker.handle(taken(1)), []);
    assert.deepEqual(worker.handle(taken(0)), [RELEASE]);
  });

  it("give the lease back when a shard refuses it, once the others have answered", () => {
    const worker = pushing();
    assert.deepEqual(worker.handle(refused(0)), []);
    const effects = worker.handle(taken(1));
    assert.deepEqual(kindsOf(effects), ["report", "releaseSlots"]);
    assert.deepEqual(effects[0], {
      kind: "report",
      report: { kind: "leaseFailed", lease: 0, microBatch: 0, nonFinite: false, ...REFUSED },
    });
  });

  it("that break are repeated, only to that shard, five times in all", () => {
    const worker = pushing();
    worker.handle(taken(1));
    for (const afterMs of [100, 200, 400, 800]) {
      const [again] = worker.handle(broke(0));
      assert.ok(again.kind === "push");
      assert.deepEqual([again.work.id, again.shard, again.afterMs], [1, 0, afterMs]);
    }
    assert.deepEqual(reportsOf(worker.handle(broke(0))), ["leaseFailed 0"]);
  });

  it("are neither made again nor spoken of when their step has gone on without them", () => {
    const worker = pushing();
    worker.publish(1, 1);
    assert.deepEqual(worker.handle(broke(0)), []);
    assert.deepEqual(worker.handle(refused(1)), [RELEASE]);
  });

  it("of an older term are cancelled, and never made in the newer one", () => {
    const worker = pushing();
    assert.deepEqual(worker.handle({ kind: "termOpened", term: 2, version: 0 }), [{ kind: "cancelPush", work: 1 }]);
    assert.deepEqual(worker.handle(broke(0)), []);
    assert.deepEqual(worker.handle(broke(1)), [RELEASE]);
  });
});

describe("slots that a shard keeps reading", () => {
  it("are released when the shards that read them are past the step", () => {
    const worker = pushing();
    worker.handle(taken(0, true), taken(1, true));
    const come = (shard: number, version: number): WorkerEvent => ({
      kind: "shardWeights",
      shard,
      term: 1,
      version,
      sequence: 10 * shard + version,
    });
    assert.deepEqual(worker.handle(come(0, 1)), []);
    assert.deepEqual(kindsOf(worker.handle(come(1, 1))), ["releaseSlots", "load"]);
  });

  it("are released at the answer if the shard is past the step by then", () => {
    const worker = pushing();
    worker.handle(taken(0));
    worker.publish(1, 1);
    assert.deepEqual(worker.handle(taken(1, true)), [RELEASE]);
  });

  it("are not released when a newer term is announced, but when the shard shows that it is in it", () => {
    const worker = pushing();
    worker.handle(taken(0), taken(1, true));
    assert.deepEqual(worker.handle({ kind: "termOpened", term: 2, version: 0 }), []);
    const come = (shard: number): WorkerEvent => ({
      kind: "shardWeights",
      shard,
      term: 2,
      version: 0,
      sequence: 50,
    });
    assert.deepEqual(worker.handle(come(0)), []);
    assert.deepEqual(kindsOf(worker.handle(come(1))), ["releaseSlots", "load"]);
  });

  it("stay lent across attachments, unless their memory is gone", () => {
    for (const newMemory of [false, true]) {
      const worker = pushing();
      worker.handle(taken(0), taken(1, true));
      worker.handle(
        { kind: "streamLost", error: new IsobatchError("unavailable", "The stream broke.") },
        { kind: "detached" },
      );
      worker.handle({ kind: "attached", attachment: { ...ATTACHMENT, newMemory } });
      assert.equal(worker.core.state.loans.size, newMemory ? 0 : 1);
      const released = worker.hold(1, 0);
      assert.ok(!kindsOf(released).includes("releaseSlots"), "the step is still open");
      assert.equal(kindsOf(worker.publish(1, 1)).includes("releaseSlots"), !newMemory);
    }
  });

  it("are lent only while another lease finds room", () => {
    const lends = (total: number): boolean[] => {
      const worker = attachedCore({ slots: { total, perLease: 3 } });
      worker.hold(1, 0);
      return [0, 1, 2].map((leaf) => {
        worker.handle(lease(0, leaf, leaf + 1));
        const push = worker.computed(10 + leaf).find(({ kind }) => kind === "push");
        const work = leaf + 1;
        assert.ok(push?.kind === "push" && push.work.id === work);
        worker.handle(taken(0, push.lend, work), taken(1, push.lend, work));
        return push.lend;
      });
    };
    assert.deepEqual(lends(0), [false, false, false]);
    assert.deepEqual(lends(3), [false, false, false]);
    assert.deepEqual(lends(5), [true, true, false]);
    assert.deepEqual(lends(6), [true, true, true]);
  });
});
