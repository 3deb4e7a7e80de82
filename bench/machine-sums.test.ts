import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesOf, joined, machineSums } from "./machine-sums.js";

describe("bytesOf()", () => {
  it("counts 4 bytes for a single gradient and 8 for S1 and S2", () => {
    assert.equal(bytesOf([{ lo: 2, hi: 3 }], 8), 4);
    assert.equal(bytesOf([{ lo: 2, hi: 4 }], 8), 8);
    // 1 | 2, 3 | 4
    assert.equal(bytesOf([{ lo: 1, hi: 5 }], 8), 16);
  });
});

describe("joined()", () => {
  it("joins adjacent ranges", () => {
    const ranges = [
      { lo: 4, hi: 6 },
      { lo: 0, hi: 2 },
      { lo: 2, hi: 3 },
    ];
    assert.deepEqual(joined(ranges), [
      { lo: 0, hi: 3 },
      { lo: 4, hi: 6 },
    ]);
  });
});

describe("machineSums()", () => {
  it("counts two machines of two workers, which have one or two leaves each", () => {
    const line = { machines: 2, workers: 2 };
    // With κ = 4 each worker has one leaf, and with 8 two. In turns a machine has every other worker's leaves, which are not adjacent.
    assert.deepEqual(machineSums(2, 2, 4), { ...line, microBatches: 4, apart: 16, added: 16, neighbours: 16 });
    assert.deepEqual(machineSums(2, 2, 8), { ...line, microBatches: 8, apart: 32, added: 32, neighbours: 16 });
  });
});
