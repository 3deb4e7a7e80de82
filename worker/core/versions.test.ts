import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createWeightVersions } from "./versions.js";

/** Two shards with two chunks each. */
const SHARDS = [
  { firstChunk: 0, endChunk: 2 },
  { firstChunk: 2, endChunk: 4 },
];
const CHUNKS = [{ kind: "parameter" }, { kind: "parameter" }, { kind: "tail" }, { kind: "frozen" }] as const;

describe("createWeightVersions()", () => {
  it("is complete exactly while the newest chunk of each place is of one version", () => {
    const events = fc.array(
      fc.record({ chunk: fc.nat({ max: 3 }), term: fc.integer({ min: 1, max: 2 }), version: fc.nat({ max: 2 }) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(events, (received) => {
        const versions = createWeightVersions({ chunks: CHUNKS, shards: SHARDS });
        for (const [i, { chunk, ...weights }] of received.entries()) {
          versions.accept(chunk, weights);
          // Said again, and from the whole history: the newest term's newest version of every chunk.
          const term = Math.max(...received.slice(0, i + 1).map((each) => each.term));
          const newest = CHUNKS.map((_, index) =>
            Math.max(
              ...received
                .slice(0, i + 1)
                .filter((each) => each.chunk === index && each.term === term)
                .map((each) => each.version),
            ),
          );
          const complete = newest[3] >= 0 && newest.slice(0, 3).every((each) => each >= 0 && each === newest[0]);
          assert.deepEqual(versions.complete, complete ? { term, version: newest[0] } : undefined);
        }
      }),
    );
  });

  it("says of a chunk that is older than the one there that it must not be copied", () => {
    const versions = createWeightVersions({ chunks: CHUNKS, shards: SHARDS });
    assert.equal(versions.accept(0, { term: 2, version: 5 }), true);
    assert.equal(versions.accept(0, { term: 2, version: 4 }), false);
    assert.equal(versions.accept(1, { term: 1, version: 9 }), false);
    assert.equal(versions.accept(0, { term: 3, version: 0 }), true);
  });

  it("voids every chunk when a term is opened", () => {
    const versions = createWeightVersions({ chunks: CHUNKS, shards: SHARDS });
    for (const chunk of CHUNKS.keys()) versions.accept(chunk, { term: 1, version: 7 });
    assert.deepEqual(versions.complete, { term: 1, version: 7 });
    versions.openTerm(2);
    assert.equal(versions.complete, undefined);
    versions.openTerm(1);
    assert.equal(versions.term, 2);
  });

  it("takes a shard's chunks at once, and forgets those of one version", () => {
    const versions = createWeightVersions({ chunks: CHUNKS, shards: SHARDS });
    for (const shard of SHARDS.keys()) versions.acceptShard(shard, { term: 1, version: 3 });
    assert.deepEqual(versions.complete, { term: 1, version: 3 });
    versions.forget(1, { term: 1, version: 3 });
    assert.equal(versions.complete, undefined);
    versions.acceptShard(1, { term: 1, version: 3 });
    assert.deepEqual(versions.complete, { term: 1, version: 3 });
    versions.acceptShard(0, { term: 1, version: 4 });
    versions.forget(0, { term: 1, version: 3 });
    versions.acceptShard(1, { term: 1, version: 4 });
    assert.deepEqual(versions.complete, { term: 1, version: 4 });
  });

  it("knows a shard to be past a step when all of its moving chunks are, or it is in a newer term", () => {
    const versions = createWeightVersions({ chunks: CHUNKS, shards: SHARDS });
    for (const chunk of CHUNKS.keys()) versions.accept(chunk, { term: 1, version: 3 });
    const past = (shard: number, term: number, step: number) => versions.isPast(shard, term, step);
    assert.deepEqual([past(0, 1, 2), past(0, 1, 3), past(0, 2, 0)], [true, false, false]);
    versions.accept(0, { term: 1, version: 4 });
    versions.accept(2, { term: 1, version: 4 });
    // Chunk 3 is frozen: it stays at the version with which the term started.
    assert.deepEqual([past(0, 1, 3), past(1, 1, 3)], [false, true]);
    versions.openTerm(2);
    assert.equal(past(1, 1, 3), false, "the shard has not said so");
    versions.acceptShard(1, { term: 2, version: 0 });
    assert.deepEqual([past(0, 1, 3), past(1, 1, 3)], [false, true]);
  });
});
