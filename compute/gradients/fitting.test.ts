import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Fit, type FittingOptions, findFit, type HostMemory } from "./fitting.js";

const GIB = 2 ** 30;
const FULL = new Error("full");
const plenty: HostMemory = { reset() {}, peakBytes: () => 0, usedBytes: () => 0, freeBytes: () => GIB };

/** The fit of a batch where `room` samples fit, and what was tried. */
function search(samples: number, room: number, others: Partial<FittingOptions> = {}): Fit & { tried: number[] } {
  const tried: number[] = [];
  const fit = findFit(samples, {
    attempt(part) {
      tried.push(part);
      if (part > room) throw FULL;
    },
    isOutOfMemory: (error) => error === FULL,
    memory: plenty,
    now: () => 0,
    budgetMs: 1_000,
    ...others,
  });
  return { ...fit, tried };
}

describe("findFit()", () => {
  it("finds the largest half of a half that fits, and fails once at most", () => {
    for (const samples of [1, 2, 7, 64, 1_000, 65_536]) {
      for (let room = 0; room < samples; room += Math.ceil(samples / 37)) {
        const halves: number[] = [];
        for (let half = samples >> 1; half > 0; half >>= 1) halves.push(half);
        const { samples: most, isMost, tried } = search(samples, room);
        assert.equal(most, halves.find((half) => half <= room) ?? 0, `${room} of ${samples}`);
        assert.ok(isMost);
        assert.ok(tried.filter((part) => part > room).length <= 1, tried.join());
      }
    }
  });

  it("ends when time is short, with what has been found", () => {
    // A sample takes a second.
    let clock = 0;
    const attempt = (part: number): void => {
      clock += 1_000 * part;
    };
    const fit = search(1_024, 0, { attempt, now: () => clock, budgetMs: 60_000 });
    // 1 + 2 + 4 + 8 + 16 = 31 s are spent; 32 more would be too long.
    assert.deepEqual([fit.samples, fit.isMost, clock], [16, false, 31_000]);
  });

  it("does not try what the machine has too little memory for", () => {
    // A sample takes 1 MiB, of which the process keeps nothing; the machine has 100 MiB left.
    let peak = 0;
    const memory: HostMemory = {
      reset() {
        peak = 5 * GIB;
      },
      peakBytes: () => peak,
      usedBytes: () => 5 * GIB,
      freeBytes: () => 100 * 2 ** 20,
    };
    const tried: number[] = [];
    const attempt = (part: number): void => {
      tried.push(part);
      peak = 5 * GIB + part * 2 ** 20;
    };
    assert.deepEqual(search(4_096, 0, { attempt, memory }), { samples: 64, isMost: false, tried: [] });
    assert.deepEqual(tried, [1, 2, 4, 8, 16, 32, 64]);
  });

  it("ends at an error of another kind", () => {
    const attempt = (part: number): void => {
      if (part === 8) throw new Error("another");
    };
    assert.deepEqual(search(64, 0, { attempt }), { samples: 4, isMost: false, tried: [] });
  });
});
