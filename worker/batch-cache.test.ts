import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBatchCache } from "./batch-cache.js";

/** A cache of strings with room for `room` of them, and what it fetched in each call. */
function open(room: number, fetch?: (numbers: readonly number[]) => AsyncIterable<string>) {
  const fetched: number[][] = [];
  async function* fetchAll(numbers: readonly number[]): AsyncGenerator<string> {
    for (const number of numbers) yield `batch ${number}`;
  }
  const batches = createBatchCache<string>({ bytesMax: room * 10, batchBytes: 10 });
  const noted = (numbers: readonly number[]): AsyncIterable<string> => {
    fetched.push([...numbers]);
    return (fetch ?? fetchAll)(numbers);
  };
  const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i);
  const cache = {
    get: (number: number) => batches.get(number, noted),
    prefetch: (first: number, end: number) => batches.prefetch(range(first, end), noted),
  };
  return { cache, fetched };
}

describe("createBatchCache()", () => {
  it("fetches what is missing in one call", async () => {
    const { cache, fetched } = open(20);
    cache.prefetch(2, 5);
    cache.prefetch(7, 8);
    cache.prefetch(0, 10);
    assert.deepEqual(fetched, [[2, 3, 4], [7], [0, 1, 5, 6, 8, 9]]);
    const batches = await Promise.all([0, 4, 9].map((number) => cache.get(number)));
    assert.deepEqual(batches, ["batch 0", "batch 4", "batch 9"]);
    assert.equal(fetched.length, 3);
  });

  it("fetches a batch by itself that nobody asked for before", async () => {
    const { cache, fetched } = open(4);
    assert.equal(await cache.get(3), "batch 3");
    assert.deepEqual(fetched, [[3]]);
  });

  it("holds no more than there is room for, and drops what was used longest ago", async () => {
    const { cache, fetched } = open(3);
    cache.prefetch(0, 100);
    assert.deepEqual(fetched, [[0, 1, 2]]);
    await cache.get(0);
    await cache.get(3);
    await cache.get(0);
    assert.deepEqual(fetched.slice(1), [[3]]);
    await cache.get(1);
    assert.deepEqual(fetched.slice(2), [[1]]);
  });

  it("forgets a failure, so that the next question fetches again", async () => {
    let failing = true;
    const { cache, fetched } = open(4, async function* ([first]) {
      yield `batch ${first}`;
      if (failing) throw new Error("the line is dead");
      yield `batch ${first + 1}`;
    });
    cache.prefetch(0, 2);
    assert.equal(await cache.get(0), "batch 0");
    await assert.rejects(cache.get(1), /the line is dead/);
    failing = false;
    assert.equal(await cache.get(1), "batch 1");
    assert.deepEqual(fetched, [[0, 1], [1]]);
  });
});
