import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLookAhead, regularPrefix } from "./look-ahead.js";

describe("createLookAhead()", () => {
  /**
   * A cache that keeps everything that was requested once, and what is requested in steps 0, 1, … with leaves [lo, hi)
   * of κ.
   */
  function open(room: number) {
    const here = new Set<number>();
    const ask = createLookAhead({ room, has: (number) => here.has(number) });
    return (step: number, lo: number, hi: number, kappa = 4, end = 1_000): number[] => {
      const numbers = ask({ first: (step + 1) * kappa + lo, count: hi - lo, every: kappa, end });
      for (const number of numbers) here.add(number);
      return numbers;
    };
  }

  it("looks further ahead the longer the share has been the same, and asks when half of it is used", () => {
    const ask = open(1_000);
    const calls = Array.from({ length: 40 }, (_, step) => ask(step, 1, 3).map((number) => number / 4 - step));
    const asked = calls.flatMap((numbers, step) => (numbers.length === 0 ? [] : [[step, numbers.length / 2]]));
    assert.deepEqual(asked, [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 5],
      [4, 9],
      [13, 9],
      [22, 9],
      [31, 9],
    ]);
    const all = new Set(calls.flatMap((numbers, step) => numbers.map((number) => (number + step) * 4)));
    for (let step = 1; step <= 40; step++) assert.ok(all.has(4 * step + 1) && all.has(4 * step + 2), `step ${step}`);
    assert.equal(all.size, calls.flat().length, "none is asked for twice");
  });

  it("guesses only the next step where shares change, and never past the run's end", () => {
    const ask = open(1_000);
    assert.deepEqual(ask(0, 0, 2), [4, 5]);
    assert.deepEqual(ask(1, 1, 3), [9, 10]);
    assert.deepEqual(ask(2, 0, 3), [12, 13, 14]);
    assert.deepEqual(ask(3, 0, 3, 8, 34), [32, 33]);
  });

  it("takes no more than half of the room, but for the next step", () => {
    const ask = open(8);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((step) => ask(step, 0, 2).length),
      [2, 4, 0, 4, 0, 4],
    );
    const large = open(1);
    for (const step of [0, 1, 2]) assert.equal(large(step, 0, 4).length, 4);
  });
});

describe("regularPrefix()", () => {
  it("is as much as one call can ask for", () => {
    const cases = [
      [[7], [7, 1, 0, 1]],
      [
        [3, 4, 5],
        [3, 3, 0, 1],
      ],
      [
        [1, 2, 5, 6, 9, 10],
        [1, 2, 4, 3],
      ],
      [
        [1, 2, 5, 6, 9],
        [1, 2, 4, 2],
      ],
      [
        [2, 5, 6, 9, 10],
        [2, 1, 3, 2],
      ],
      [
        [1, 2, 5, 7, 8],
        [1, 2, 4, 1],
      ],
    ];
    for (const [numbers, [first, count, every, times]] of cases) {
      assert.deepEqual(regularPrefix(numbers), { first, count, every, times });
    }
  });
});
