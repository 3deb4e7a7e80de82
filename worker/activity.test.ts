import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createActivityMeter } from "./activity.js";
import type { StepLease, Work, WorkerEvent } from "./core/index.js";

const lease = (step: number, lo: number, hi: number): StepLease => ({
  lease: step,
  term: 1,
  step,
  firstMicroBatch: 0,
  microBatches: 8,
  lo,
  hi,
  leafCoefficients1: [],
  leafCoefficients2: [],
  mac: new Uint8Array(),
});
const attachment = { chunks: [], shards: [], microBatchesTotal: 80, slots: { total: 1, perLease: 1 }, newMemory: true };
const attached: WorkerEvent = { kind: "attached", attachment };
const stepWork = (id: number, step: number, lo: number, hi: number): Work => ({
  id,
  kind: "step",
  lease: lease(step, lo, hi),
});
const computed = (work: number): WorkerEvent => ({ kind: "computed", work, slots: [], computeMs: 1, samplesMs: 0 });

describe("createActivityMeter()", () => {
  it("follows a worker from the server that it waits for to its end", () => {
    const meter = createActivityMeter();
    const stateAt = (nowMs: number) => meter.read(nowMs).state;
    assert.equal(stateAt(0), "waiting for the server");
    meter.event(attached, 10);
    assert.equal(stateAt(10), "loading the model");
    meter.event({ kind: "loaded" }, 20);
    assert.equal(stateAt(20), "waiting for work");
    meter.effect({ kind: "compute", work: stepWork(1, 7, 0, 4) });
    assert.equal(stateAt(30), "computing");
    meter.event(computed(1), 100);
    assert.equal(stateAt(900), "computing", "a short pause is not shown");
    assert.equal(stateAt(1_200), "waiting for work");
    const evaluation = { term: 1, version: 8, firstBatch: 0, endBatch: 2 };
    meter.effect({ kind: "compute", work: { id: 2, kind: "evaluation", lease: evaluation } });
    assert.equal(stateAt(1_300), "evaluating");
    meter.event({ kind: "leave", reason: "interrupted" }, 1_400);
    assert.equal(stateAt(1_400), "leaving");
    meter.effect({ kind: "end", ending: { reason: "left", ok: true } });
    assert.equal(stateAt(1_500), "ended");
  });

  it("waits for a server that is lost, and forgets what it computed for it", () => {
    const meter = createActivityMeter();
    meter.event(attached, 0);
    meter.event({ kind: "loaded" }, 0);
    meter.effect({ kind: "compute", work: stepWork(1, 0, 0, 4) });
    meter.event({ kind: "streamLost", error: new Error("gone") as never }, 5);
    meter.event({ kind: "detached" }, 6);
    assert.equal(meter.read(7).state, "waiting for the server");
    meter.event(attached, 2_000);
    assert.equal(meter.read(2_000).state, "loading the model");
  });

  it("counts micro-batches, and their speed over the last five seconds", () => {
    const meter = createActivityMeter();
    meter.event(attached, 0);
    for (let i = 0; i < 10; i++) {
      meter.event({ kind: "lease", lease: lease(i, 0, 4) }, 1_000 * i);
      meter.effect({ kind: "compute", work: stepWork(i, i, 0, 4) });
      meter.event(computed(i), 1_000 * i);
    }
    // 4 each at 4, 5, 6, 7, 8 and 9 s, in the 5 s before 9 s.
    assert.deepEqual(meter.read(9_000), {
      state: "computing",
      step: 9,
      microBatches: 40,
      microBatchesPerSecond: 24 / 5,
    });
    meter.effect({ kind: "compute", work: stepWork(11, 10, 0, 4) });
    meter.event({ kind: "workFailed", work: 11, failure: { reason: "no", transient: true } }, 9_000);
    assert.equal(meter.read(9_000).microBatches, 40, "what failed does not count");
    assert.equal(meter.read(60_000).microBatchesPerSecond, 0);
  });
});
