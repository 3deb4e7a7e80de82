import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EvaluationLease__Output, MicroBatchLease__Output } from "../shared/wire/index.js";
import { createWorkQueue, type Work } from "./work-queue.js";

const step = (lease: number, epoch: number, version: number): Work => ({
  kind: "step",
  lease: { lease, epoch, step: version } as MicroBatchLease__Output,
});
const evaluation = (epoch: number, version: number): Work => ({
  kind: "evaluation",
  lease: { epoch, version } as EvaluationLease__Output,
});

describe("createWorkQueue()", () => {
  it("gives the work of the weights that are held in the order in which it came", () => {
    const queue = createWorkQueue();
    const work = [step(1, 1, 4), evaluation(1, 3), step(2, 1, 3), step(3, 1, 3)];
    for (const each of work) queue.add(each);
    const held = { epoch: 1, version: 3 };
    assert.deepEqual([queue.take(held), queue.take(held), queue.take(held)], [work[1], work[2], work[3]]);
    assert.equal(queue.take(held), undefined);
    assert.equal(queue.take({ epoch: 1, version: 4 }), work[0]);
  });

  it("drops work whose weights are gone, and keeps what waits for weights to come", () => {
    const queue = createWorkQueue();
    for (const each of [step(1, 1, 9), step(2, 2, 0), evaluation(2, 3), step(3, 2, 4)]) queue.add(each);
    assert.equal(queue.take({ epoch: 2, version: 1 }), undefined);
    assert.deepEqual(queue.take({ epoch: 2, version: 3 }), evaluation(2, 3));
    assert.deepEqual(queue.take({ epoch: 2, version: 4 }), step(3, 2, 4));
    for (const held of [0, 9]) assert.equal(queue.take({ epoch: 1, version: held }), undefined);
  });

  it("drops the work of older epochs when one is opened", () => {
    const queue = createWorkQueue();
    queue.add(step(1, 1, 5));
    queue.add(step(2, 2, 5));
    queue.openEpoch(2);
    assert.equal(queue.take({ epoch: 1, version: 5 }), undefined);
    assert.deepEqual(queue.take({ epoch: 2, version: 5 }), step(2, 2, 5));
  });
});
