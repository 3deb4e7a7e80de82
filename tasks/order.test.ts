import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createSampleOrder } from "./order.js";

const shapes = fc
  .record({ samples: fc.integer({ min: 1, max: 300 }), seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }) })
  .chain(({ samples, seed }) =>
    fc.record({
      samples: fc.constant(samples),
      seed: fc.constant(seed),
      microBatchSize: fc.integer({ min: 1, max: samples }),
    }),
  );

/** All samples of one epoch of the data, in order. */
function epochOf(options: { seed: number; microBatchSize: number; samples: number }, epoch: number): number[] {
  const order = createSampleOrder(options);
  const first = epoch * order.microBatchesPerEpoch;
  return Array.from({ length: order.microBatchesPerEpoch }, (_, i) => [...order.samplesOf(first + i)]).flat();
}

describe("createSampleOrder()", () => {
  it("shows every sample at most once per epoch, and drops fewer than one micro-batch", () => {
    fc.assert(
      fc.property(shapes, fc.nat({ max: 5 }), (options, epoch) => {
        const seen = epochOf(options, epoch);
        assert.equal(new Set(seen).size, seen.length);
        assert.ok(seen.every((sample) => sample >= 0 && sample < options.samples));
        assert.ok(options.samples - seen.length < options.microBatchSize);
      }),
      { numRuns: 50 },
    );
  });

  it("gives a micro-batch the same samples in any order of calls", () => {
    const options = { seed: 7, microBatchSize: 8, samples: 100 };
    const forwards = createSampleOrder(options);
    const backwards = createSampleOrder(options);
    const numbers = Array.from({ length: 60 }, (_, n) => n); // five epochs of twelve: more than are kept
    const first = numbers.map((n) => forwards.samplesOf(n).join());
    const second = numbers.reverse().map((n) => backwards.samplesOf(n).join());
    assert.deepEqual(second.reverse(), first);
  });

  it("orders each epoch, and each seed, differently", () => {
    const options = { seed: 1, microBatchSize: 10, samples: 1000 };
    const first = epochOf(options, 0).join();
    assert.notEqual(epochOf(options, 1).join(), first);
    assert.notEqual(epochOf({ ...options, seed: 2 }, 0).join(), first);
  });

  it("drops other samples in other epochs", () => {
    const options = { seed: 1, microBatchSize: 64, samples: 127 };
    const dropped = (epoch: number): string => {
      const seen = new Set(epochOf(options, epoch));
      return Array.from({ length: 127 }, (_, i) => i)
        .filter((sample) => !seen.has(sample))
        .join();
    };
    assert.notEqual(dropped(0), dropped(1));
  });

  it("returns new arrays, so that a caller may change them", () => {
    const order = createSampleOrder({ seed: 3, microBatchSize: 4, samples: 8 });
    const before = [...order.samplesOf(0)];
    order.samplesOf(0).fill(99);
    assert.deepEqual([...order.samplesOf(0)], before);
  });

  it("never changes: a run can be replayed from its seed", () => {
    // From an implementation of SHA-256 seeding, xoshiro128** and Fisher–Yates in Python.
    assert.deepEqual(epochOf({ seed: 42, microBatchSize: 4, samples: 10 }, 0), [0, 6, 5, 9, 7, 8, 4, 3]);
  });
});
