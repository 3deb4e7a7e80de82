import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLeaseProgress } from "./lease-progress.js";

describe("a lease's progress", () => {
  it("has a thread compute while it has samples of the next micro-batch", () => {
    const lease = createLeaseProgress();
    assert.equal(lease.computes(), false);
    lease.start(3, 6);
    assert.equal(lease.computes(), false);
    for (const number of [3, 5]) lease.give(number);
    assert.equal(lease.computes(), true);
    lease.computed(3);
    assert.equal(lease.computes(), false, "4 has not come");
    lease.give(4);
    assert.equal(lease.computes(), true);
  });

  it("keeps what was sent ahead for the next lease, and nothing else", () => {
    const lease = createLeaseProgress();
    lease.start(0, 2);
    for (const number of [0, 1, 2]) lease.give(number);
    lease.computed(0);
    lease.end();
    lease.start(2, 4);
    assert.equal(lease.computes(), true, "2 was sent ahead");
    for (const number of [0, 1]) {
      lease.end();
      lease.start(number, 2);
      assert.equal(lease.computes(), false, `${number} was sent for a lease that has ended`);
    }
    lease.end();
    lease.give(9);
    lease.start(4, 6);
    lease.end();
    lease.start(9, 10);
    assert.equal(lease.computes(), false, "9 was not of the lease that came next");
  });

  it("resolves when a micro-batch is computed, when the lease ends, and at once without one", async () => {
    const lease = createLeaseProgress();
    await lease.whenComputed(0);
    lease.start(0, 3);
    const resolved: number[] = [];
    const all = [0, 1, 2].map((number) => lease.whenComputed(number).then(() => resolved.push(number)));
    lease.computed(0);
    await all[0];
    assert.deepEqual(resolved, [0]);
    await lease.whenComputed(0);
    lease.end();
    await Promise.all(all);
    assert.deepEqual(resolved, [0, 1, 2]);
  });
});
