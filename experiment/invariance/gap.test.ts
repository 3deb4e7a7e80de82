import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gapBetween } from "./gap.js";
import { measuredSpeed, predictedSpeed, signalToNoise } from "./speed.js";

/** Evaluated after 0, 10, 20, … samples. */
const curve = (...losses: number[]) => ({ samples: losses.map((_, i) => 10 * i), losses });

describe("gapBetween()", () => {
  it("takes the largest difference over time, relative to the reference at that time", () => {
    // Relative: 0, 0.25, -0.5, 0.1; absolute: 0, 0.5, 0.5, 0.05.
    const gap = gapBetween(curve(4, 2.5, 0.5, 0.55), curve(4, 2, 1, 0.5));
    assert.equal(gap!.relative, 0.5);
    assert.equal(gap!.signed, -0.5);
    assert.equal(gap!.absolute, 0.5);
    assert.ok(Math.abs(gap!.atEnd - 0.1) < 1e-12);
  });

  it("is 0 in all parts between equal curves", () => {
    assert.deepEqual(gapBetween(curve(2, 1), curve(2, 1)), { relative: 0, signed: 0, absolute: 0, atEnd: 0 });
  });

  it("has no bound for a run that did not reach the end", () => {
    assert.equal(gapBetween(curve(2, 1), curve(2, 1, 0.5)), undefined);
  });

  it("refuses curves that were evaluated at different times", () => {
    assert.throws(() => gapBetween({ samples: [0, 11], losses: [2, 1] }, curve(2, 1)), RangeError);
  });
});

describe("measuredSpeed()", () => {
  it("is the share of the samples that the reference needed for the same loss", () => {
    // The slow run ends at 2.5, where the reference was after 15 of its samples.
    assert.equal(measuredSpeed(curve(4, 3.5, 3.25, 3, 2.5), curve(4, 3, 2, 1.5, 1)), 15 / 40);
  });

  it("is above 1 for a run that needs fewer samples", () => {
    assert.equal(measuredSpeed(curve(4, 3, 2, 1.5, 1), curve(4, 3.5, 3.25, 3, 2.5)), 40 / 15);
  });

  it("is not known of a run that never got below its first loss", () => {
    assert.equal(measuredSpeed(curve(4, 5, 6), curve(4, 3, 2)), undefined);
  });
});

describe("predictedSpeed()", () => {
  it("is 1 for the invariant rules at any κ and noise", () => {
    for (const rule of ["linear", "exponential"] as const) {
      for (const ratio of [0, 0.1, 10]) assert.equal(predictedSpeed({ name: "invariant", rule }, 16, ratio), 1);
    }
  });

  it("is √((1+r)/(r+1/κ))/κ for unscaled Adam: κ steps in one where gradients agree, √κ where they are noise", () => {
    const close = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-12, String(value));
    close(predictedSpeed({ name: "standard" }, 16, 0), 1 / 4);
    // √((1 + 1)/(1 + 1/4))/4 = √1.6/4
    close(predictedSpeed({ name: "standard" }, 4, 1), 0.3162277660168379);
    assert.ok(Math.abs(predictedSpeed({ name: "standard" }, 16, 1e9) - 1 / 16) < 1e-9);
  });
});

describe("signalToNoise()", () => {
  it("compares the true gradient with a micro-batch's noise, b times smaller than a sample's in variance", () => {
    assert.equal(signalToNoise({ trace: 640, squaredGradient: 2 }, 64), 0.2);
  });

  it("is not known where the gradient is not resolved", () => {
    assert.equal(signalToNoise({ trace: 640, squaredGradient: -1 }, 64), undefined);
  });
});
