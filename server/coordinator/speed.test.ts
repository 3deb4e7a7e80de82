import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSpeed } from "./speed.js";

const step = (atMs: number, more = {}) => ({ samples: 100, atMs, stepMs: 10, computeMs: 4, ...more });

describe("samplesPerSecond", () => {
  it("is 0 until two steps are committed, then what was committed after the first of them", () => {
    const speed = createSpeed();
    assert.equal(speed.samplesPerSecond, 0);
    speed.committed(step(1_000));
    assert.equal(speed.samplesPerSecond, 0);
    speed.committed(step(1_500));
    assert.equal(speed.samplesPerSecond, 200);
  });

  it("forgets what is older than five seconds, but for the last two steps", () => {
    const speed = createSpeed();
    for (const atMs of [0, 1_000, 8_000]) speed.committed(step(atMs));
    // 100 samples in the 7 s between the last two.
    assert.equal(speed.samplesPerSecond, 100 / 7);
  });

  it("is measured from scratch when the run rolls back", () => {
    const speed = createSpeed();
    for (const atMs of [0, 500]) speed.committed(step(atMs));
    speed.restart();
    assert.equal(speed.samplesPerSecond, 0);
    speed.committed(step(1_000));
    assert.equal(speed.samplesPerSecond, 0);
    speed.committed(step(1_100));
    assert.equal(speed.samplesPerSecond, 1_000);
  });
});

describe("overheadMs", () => {
  it("is the median of the last 31 steps' time without computing", () => {
    const speed = createSpeed();
    assert.equal(speed.overheadMs, 0);
    for (let i = 0; i < 31; i++) speed.committed(step(i, { stepMs: 1_000 }));
    assert.equal(speed.overheadMs, 996);
    for (let i = 0; i < 16; i++) speed.committed(step(i));
    assert.equal(speed.overheadMs, 6);
  });

  it("ignores a step that was committed before any of its leases was reported", () => {
    const speed = createSpeed();
    speed.committed(step(0, { stepMs: 1_000, computeMs: 0 }));
    assert.equal(speed.overheadMs, 0);
    for (const computeMs of [4, 0, 0]) speed.committed(step(1, { computeMs }));
    assert.equal(speed.overheadMs, 6);
  });

  it("is never less than 0: a lease is measured on another machine's clock", () => {
    const speed = createSpeed();
    speed.committed(step(0, { computeMs: 11 }));
    assert.equal(speed.overheadMs, 0);
  });
});
