import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coordinator, kinds, leases, scalars } from "./coordinator.test.helper.js";

/** A coordinator with step 0 open and worker "a" computing it, of which one shard has updated a chunk already. */
function partlyApplied(options: Parameters<typeof coordinator>[0] = {}) {
  const given = coordinator(options);
  given.restore();
  given.worker("a");
  given.send({ kind: "superseded", shard: 1, term: 1, step: 0 });
  return given;
}

describe("a step that is applied in part", () => {
  it("makes the run roll back once nobody holds its version, which a worker that joins can't get", () => {
    const { core, send, wait, worker } = partlyApplied();
    send({ kind: "workerLost", worker: "a", reason: "killed" });
    send({ kind: "workerAttached", worker: "b" });
    assert.deepEqual(kinds(wait(500)), []);
    send({ kind: "heartbeat", worker: "b" });
    assert.deepEqual(kinds(wait(2_999)), [], "a shard's report may still be on its way");
    assert.deepEqual(kinds(wait(1)), ["note", "saveTerm"]);
    send({ kind: "termSaved", term: 2 });
    const mark = { step: 0, microBatches: 0, c1: 0, c2: 0 };
    for (const shard of [0, 1]) send({ kind: "restored", shard, term: 2, mark });
    assert.deepEqual(leases(send({ kind: "weightsHeld", worker: "b", term: 2, version: 0 })), ["b [0, 4)"]);
    assert.equal(core.state.phase, "stepping");
    assert.deepEqual(leases(worker("c")), []);
  });

  it("is finished by one that holds its version, however long that takes", () => {
    const { core, send, wait, worker } = partlyApplied({ workersAwaited: 1 });
    worker("b");
    send({ kind: "workerLost", worker: "a", reason: "killed" });
    for (let s = 0; s < 60; s++) {
      send({ kind: "heartbeat", worker: "b" });
      wait(1_000);
    }
    assert.equal(core.state.term, 1);
  });

  it("is leased to none that holds an older version and missed this one", () => {
    const { cover, commit, restore, send, worker } = coordinator({ workersAwaited: 2 });
    restore();
    worker("a");
    worker("slow");
    cover(0, 4);
    commit();
    send({ kind: "leaseComputed", worker: "a", lease: 1, computeMs: 5 });
    send({ kind: "weightsHeld", worker: "a", term: 1, version: 1 });
    send({ kind: "superseded", shard: 0, term: 1, step: 1 });
    const failed = { microBatch: undefined, nonFinite: false, reason: "the push broke" };
    const given = [3, 4].flatMap((lease) =>
      ["a", "slow"].flatMap((name) => leases(send({ kind: "leaseFailed", worker: name, lease, ...failed }))),
    );
    assert.ok(given.length > 0 && given.every((lease) => lease.startsWith("a ")), given.join());
  });

  it("is lost as well with the threads of its last holder, and not if they get the weights again", () => {
    for (const again of [true, false]) {
      const { core, send, wait } = partlyApplied();
      send({ kind: "weightsLost", worker: "a" });
      if (again) send({ kind: "weightsHeld", worker: "a", term: 1, version: 0 });
      wait(500);
      wait(3_000);
      assert.equal(core.state.term, again ? 1 : 2);
    }
  });

  it("is not given up when a holder has the next version, which only the step's commit can have made", () => {
    const { core, send, wait } = partlyApplied();
    send({ kind: "weightsHeld", worker: "a", term: 1, version: 1 });
    wait(500);
    wait(3_000);
    assert.equal(core.state.term, 1);
  });

  it("does not wait for a worker that says it holds what nobody can", () => {
    const { core, send, wait, worker } = partlyApplied();
    worker("liar");
    send({ kind: "weightsHeld", worker: "liar", term: 1, version: 2 ** 40 });
    send({ kind: "workerLost", worker: "a", reason: "killed" });
    wait(500);
    wait(3_000);
    assert.equal(core.state.term, 2);
  });

  it("is one that a shard has committed and another has not", () => {
    const { core, restore, send, wait, worker } = coordinator();
    const ledger = [{ firstChunk: 0, endChunk: 1, ranges: [{ lo: 0, hi: 4, worker: "a" }] }];
    restore();
    worker("a");
    send({ kind: "committed", shard: 0, term: 1, step: 0, scalars: { ...scalars, ledger } });
    send({ kind: "workerLost", worker: "a", reason: "killed" });
    wait(500);
    wait(3_000);
    assert.equal(core.state.term, 2);
  });
});

describe("a step of which nothing is applied", () => {
  it("waits for a worker that gets its version, however long that takes", () => {
    const { core, restore, send, wait, worker } = coordinator();
    restore();
    worker("a");
    // A slice of frozen weights commits at once.
    send({ kind: "committed", shard: 0, term: 1, step: 0, scalars });
    send({ kind: "workerLost", worker: "a", reason: "killed" });
    for (let s = 0; s < 60; s++) wait(1_000);
    assert.deepEqual(leases(worker("b")), ["b [0, 4)"]);
    assert.equal(core.state.term, 1);
  });
});
