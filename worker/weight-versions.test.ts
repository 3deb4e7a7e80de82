import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createWeightVersions } from "./weight-versions.js";

const CHUNKS = [{ kind: "parameter" }, { kind: "parameter" }, { kind: "tail" }, { kind: "frozen" }] as const;

describe("createWeightVersions()", () => {
  it("is complete exactly while the newest chunk of each place is of one version", () => {
    const events = fc.array(
      fc.record({ chunk: fc.nat({ max: 3 }), epoch: fc.integer({ min: 1, max: 2 }), version: fc.nat({ max: 2 }) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(events, (received) => {
        const versions = createWeightVersions(CHUNKS);
        for (const [i, { chunk, ...weights }] of received.entries()) {
          versions.accept(chunk, weights);
          // Said again, and from the whole history: the newest epoch's newest version of every chunk.
          const epoch = Math.max(...received.slice(0, i + 1).map((each) => each.epoch));
          const newest = CHUNKS.map((_, index) =>
            Math.max(
              ...received
                .slice(0, i + 1)
                .filter((each) => each.chunk === index && each.epoch === epoch)
                .map((each) => each.version),
            ),
          );
          const complete = newest[3] >= 0 && newest.slice(0, 3).every((each) => each >= 0 && each === newest[0]);
          assert.deepEqual(versions.complete, complete ? { epoch, version: newest[0] } : undefined);
        }
      }),
    );
  });

  it("says of a chunk that is older than the one there that it must not be copied", () => {
    const versions = createWeightVersions(CHUNKS);
    assert.equal(versions.accept(0, { epoch: 2, version: 5 }), true);
    assert.equal(versions.accept(0, { epoch: 2, version: 4 }), false);
    assert.equal(versions.accept(1, { epoch: 1, version: 9 }), false);
    assert.equal(versions.accept(0, { epoch: 3, version: 0 }), true);
  });

  it("voids every chunk when an epoch is opened", () => {
    const versions = createWeightVersions(CHUNKS);
    for (const chunk of CHUNKS.keys()) versions.accept(chunk, { epoch: 1, version: 7 });
    assert.deepEqual(versions.complete, { epoch: 1, version: 7 });
    versions.openEpoch(2);
    assert.equal(versions.complete, undefined);
    versions.openEpoch(1);
    assert.equal(versions.epoch, 2);
  });
});
