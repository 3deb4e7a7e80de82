import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBoard, isLeaseDone, markDone, openItems, shareItems } from "./board.js";

const equal = (worker: string, given = 0) => ({ worker, itemMs: 10, given });

describe("shareItems()", () => {
  it("shares κ = 6 between two equal workers as 3 + 3", () => {
    assert.deepEqual(shareItems([{ lo: 0, hi: 6 }], [equal("a"), equal("b")]), [
      { worker: "a", lo: 0, hi: 3 },
      { worker: "b", lo: 3, hi: 6 },
    ]);
  });

  it("gives a worker that is three times as fast three times as much", () => {
    const shares = shareItems(
      [{ lo: 0, hi: 8 }],
      [
        { worker: "slow", itemMs: 30, given: 0 },
        { worker: "fast", itemMs: 10, given: 0 },
      ],
    );
    assert.deepEqual(
      shares.map(({ worker, lo, hi }) => [worker, hi - lo]),
      [
        ["slow", 2],
        ["fast", 6],
      ],
    );
  });

  it("is not skewed by noise in the measured speed", () => {
    const noisy = [
      { worker: "a", itemMs: 10, given: 0 },
      { worker: "b", itemMs: 11.5, given: 0 },
    ];
    assert.deepEqual(
      shareItems([{ lo: 0, hi: 6 }], noisy).map(({ lo, hi }) => hi - lo),
      [3, 3],
    );
  });

  it("lets workers take turns where there are fewer items than workers", () => {
    const given = new Map(["a", "b", "c"].map((worker) => [worker, 0]));
    for (let step = 0; step < 6; step++) {
      const candidates = [...given].map(([worker, items]) => equal(worker, items));
      for (const { worker } of shareItems([{ lo: 0, hi: 1 }], candidates)) given.set(worker, given.get(worker)! + 1);
    }
    assert.deepEqual([...given.values()], [2, 2, 2]);
  });

  it("covers several runs once, none of the shares crossing a gap", () => {
    const runs = [
      { lo: 1, hi: 3 },
      { lo: 5, hi: 10 },
    ];
    const shares = shareItems(runs, [equal("a"), equal("b")]);
    const covered = shares.flatMap(({ lo, hi }) => Array.from({ length: hi - lo }, (_, i) => lo + i));
    assert.deepEqual(covered, [1, 2, 5, 6, 7, 8, 9]);
  });

  it("gives nothing to nobody", () => {
    assert.deepEqual(shareItems([{ lo: 0, hi: 3 }], []), []);
  });
});

describe("openItems()", () => {
  it("leaves out what is done and what is in promising hands", () => {
    const board = createBoard(8);
    markDone(board, 0);
    const lease = (number: number, worker: string, lo: number, hi: number) =>
      board.leases.set(number, { lease: number, worker, lo, hi, grantedAtMs: 0, overdueAtMs: 0 });
    lease(1, "good", 1, 3);
    lease(2, "lost", 5, 7);
    assert.deepEqual(
      openItems(board, ({ worker }) => worker === "good"),
      [{ lo: 3, hi: 8 }],
    );
  });
});

describe("isLeaseDone()", () => {
  it("needs every item, regardless of who did it", () => {
    const board = createBoard(3);
    markDone(board, 0);
    assert.equal(isLeaseDone(board, { lo: 0, hi: 2 }), false);
    markDone(board, 1);
    assert.equal(isLeaseDone(board, { lo: 0, hi: 2 }), true);
  });
});
