import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { phasesOf } from "./phases.js";

describe("phasesOf()", () => {
  it("takes a step apart along the lease that was computed last", () => {
    const last = { heldMs: 105, computeMs: 20, computedMs: 128 };
    assert.deepEqual(phasesOf(100, last, 140), { step: 40, pull: 5, wait: 3, compute: 20, push: 12 });
  });

  it("counts no pull where the weights were held before the step", () => {
    const last = { heldMs: 50, computeMs: 20, computedMs: 121 };
    assert.deepEqual(phasesOf(100, last, 130), { step: 30, pull: 0, wait: 1, compute: 20, push: 9 });
  });

  it("ends the pull where computing started, if the report of the weights came later", () => {
    const last = { heldMs: 110, computeMs: 20, computedMs: 128 };
    assert.deepEqual(phasesOf(100, last, 140), { step: 40, pull: 8, wait: 0, compute: 20, push: 12 });
  });

  it("has nothing negative where a worker's clock runs faster", () => {
    const last = { heldMs: 105, computeMs: 30, computedMs: 128 };
    assert.deepEqual(phasesOf(100, last, 140), { step: 40, pull: 0, wait: 0, compute: 30, push: 12 });
  });

  it("counts all of a step as pushing that was committed before it was heard that its leases were computed", () => {
    assert.deepEqual(phasesOf(100, undefined, 140), { step: 40, pull: 0, wait: 0, compute: 0, push: 40 });
  });
});
