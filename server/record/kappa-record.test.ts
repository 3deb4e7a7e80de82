import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { KAPPA_FILE, openKappaRecord, readKappaRecord } from "./kappa-record.js";

const RANGE = { perWorker: 2, min: 1, max: 6 };
const FIRST = { step: 0, firstMicroBatch: 0, microBatches: 2, reason: "1 worker" };
const SECOND = { step: 5, firstMicroBatch: 10, microBatches: 4, reason: "worker b joined: 2 workers" };

function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-kappa-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("a run's record of κ", () => {
  it("holds what was appended, without a torn last line", (test) => {
    const folder = folderOf(test);
    const record = openKappaRecord(folder, RANGE, false, undefined);
    record.append([FIRST]);
    record.append([SECOND]);
    record.close();
    appendFileSync(join(folder, KAPPA_FILE), '{"step":9,"firstMicro');
    const again = openKappaRecord(folder, RANGE, true, undefined);
    assert.deepEqual(again.facts, [FIRST, SECOND]);
    assert.equal(again.replay, false);
    again.close();
    assert.deepEqual(readKappaRecord(folder, RANGE), [FIRST, SECOND]);
  });

  it("that is replayed is followed from the start, and only in that folder", (test) => {
    const folder = folderOf(test);
    openKappaRecord(folder, 8, false, [FIRST, SECOND]).close();
    const resumed = openKappaRecord(folder, 8, true, undefined);
    assert.equal(resumed.replay, true);
    assert.deepEqual(resumed.facts, [FIRST, SECOND]);
    resumed.close();
    openKappaRecord(folder, 8, true, [FIRST, SECOND]).close();
    assert.throws(
      () => openKappaRecord(folder, 8, true, [FIRST, { ...SECOND, microBatches: 3 }]),
      /replays another record, whose entry 2 is κ = \d+ from step 5 on and not κ = 3 from step 5 on, .*--out/,
    );
    const own = folderOf(test);
    const record = openKappaRecord(own, RANGE, false, undefined);
    record.append([FIRST]);
    record.close();
    assert.throws(() => openKappaRecord(own, RANGE, true, [FIRST]), /recorded its own micro-batches per step.*--out/);
  });

  const refused: [string, readonly object[], RegExp][] = [
    ["without a fact", [], /it has no fact/],
    ["that starts late", [SECOND], /it does not start with step 0/],
    ["that leaves micro-batches out", [FIRST, { ...SECOND, firstMicroBatch: 11 }], /starts at micro-batch 11, not 10/],
    ["in disorder", [FIRST, SECOND, { ...SECOND, step: 4 }], /step 4 comes after step 5/],
    ["of something else", [{ loss: 1 }], /its fact 1 has no whole step/],
    [
      "with more than the task allows",
      [FIRST, { ...SECOND, microBatches: 7 }],
      /steps of 7 micro-batches.*up to 6; raise that/,
    ],
  ];
  for (const [what, lines, message] of refused) {
    it(`${what} is refused in a sentence`, (test) => {
      const folder = folderOf(test);
      writeFileSync(join(folder, KAPPA_FILE), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      assert.throws(() => readKappaRecord(folder, RANGE), message);
    });
  }

  it("that is not there is refused with what to name instead", (test) => {
    const folder = folderOf(test);
    assert.throws(() => readKappaRecord(join(folder, "none"), RANGE), /there is nothing; name a run directory/);
    assert.throws(() => readKappaRecord(folder, RANGE), /it has no kappa.jsonl/);
  });
});
