import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createWatchdog, patienceFor, type Verdict } from "./watchdog.js";

const MINUTE = 60_000;

describe("patienceFor()", () => {
  it("gives a first answer minutes, and on backends of ours forever", () => {
    assert.deepEqual(patienceFor("tfjs-node-gpu")("microBatch", []), { warnMs: 3 * MINUTE, endMs: 15 * MINUTE });
    assert.deepEqual(patienceFor("tfjs-node")("microBatch", [9_000, 8_000, 7_000]), {
      warnMs: 3 * MINUTE,
      endMs: 60 * MINUTE,
    });
    assert.equal(patienceFor("wasm")("start", []).endMs, Number.POSITIVE_INFINITY);
  });

  it("gives later ones a minute, 20 of their median or 3 of the longest, and three times that until the end", () => {
    const patience = (answered: number[]) => patienceFor("tfjs-node-gpu")("microBatch", answered);
    assert.deepEqual(patience([5_000, 40, 45, 41, 42]), { warnMs: MINUTE, endMs: 3 * MINUTE });
    assert.deepEqual(patience([10_000, 9_000, 8_000, 9_500]), { warnMs: 190_000, endMs: 570_000 });
    assert.deepEqual(patience([100_000, 40, 40, 40]), { warnMs: 300_000, endMs: 900_000 });
  });

  it("takes a fixed time, except for the start, which loads gigabytes", () => {
    const patience = patienceFor("tfjs-node-gpu", 4_000);
    assert.deepEqual(patience("microBatch", [1, 1, 1, 1, 1]), { warnMs: 2_000, endMs: 4_000 });
    assert.equal(patience("start", []).endMs, 15 * MINUTE);
  });
});

describe("createWatchdog()", () => {
  it("warns once, then ends, and counts only while something is asked", () => {
    const watchdog = createWatchdog(() => ({ warnMs: 20, endMs: 40 }));
    const verdicts: (Verdict["kind"] | undefined)[] = [];
    const pass = (times: number): void => {
      for (let i = 0; i < times; i++) verdicts.push(watchdog.passed(10)?.kind);
    };
    pass(9);
    watchdog.started("gradient");
    pass(1);
    watchdog.answered(10);
    pass(9);
    assert.deepEqual(new Set(verdicts.splice(0)), new Set([undefined]));
    watchdog.started("gradient");
    pass(6);
    assert.deepEqual(verdicts, [undefined, "warn", undefined, "end", undefined, undefined]);
  });

  it("warns before it ends also where nobody looked in between", () => {
    const watchdog = createWatchdog(() => ({ warnMs: 20, endMs: 40 }));
    watchdog.started("gradient");
    assert.deepEqual(
      [100, 100, 100].map((ms) => watchdog.passed(ms)?.kind),
      ["warn", "end", undefined],
    );
  });

  it("goes by the answers of the same kind, the last 32 of them", () => {
    const known: number[][] = [];
    const watchdog = createWatchdog((_, answered) => {
      known.push([...answered]);
      return { warnMs: 1, endMs: 2 };
    });
    for (let i = 0; i < 40; i++) {
      watchdog.started("gradient");
      watchdog.answered(i);
    }
    watchdog.started("evaluation");
    watchdog.answered(7);
    watchdog.started("gradient");
    assert.deepEqual(watchdog.passed(1), { kind: "warn", limits: { warnMs: 1, endMs: 2 }, usualMs: 24 });
    watchdog.started("evaluation");
    watchdog.passed(1);
    assert.deepEqual(known, [Array.from({ length: 32 }, (_, i) => i + 8), [7]]);
  });
});
