import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { warmOf } from "./warm.js";

const step = (step: number, ms: number): string =>
  JSON.stringify({
    type: "step",
    step,
    samples: 32 * (step + 1),
    loss: 2 - step / 10,
    ms: { step: ms, compute: ms / 2 },
  });
/** Six steps, of which the first two are slow, and two lines that are not steps. */
const lines = ['{"type":"event"}', ...[900, 500, 10, 12, 10, 11].map((ms, i) => step(i, ms)), '{"type":"evaluation"}'];
const metrics = `${lines.join("\n")}\n`;
const until = (count: number): number =>
  Buffer.byteLength(
    lines
      .slice(0, count)
      .map((line) => `${line}\n`)
      .join(""),
  );

describe("warmOf()", () => {
  it("counts the steps after the first third by the wall clock, with their phases' medians", () => {
    const looks = [
      { atMs: 100, bytes: until(1) },
      { atMs: 2000, bytes: until(3) },
      { atMs: 2100, bytes: until(7) },
      { atMs: 9000, bytes: until(8) },
    ];
    // Four warm steps of 32 samples in 100 ms.
    assert.deepEqual(warmOf(metrics, looks), {
      ...{ steps: 6, phases: { step: 11, compute: 5.5 }, firstStepsMs: [900, 500, 10, 12, 10] },
      ...{ firstLoss: 2, lastLoss: 1.5, samplesPerSecond: 1280, span: { fromMs: 2000, toMs: 2100 } },
    });
  });

  it("goes by the steps' own times if no look saw them", () => {
    const { samplesPerSecond, span } = warmOf(metrics, [{ atMs: 1, bytes: until(8) }]);
    assert.deepEqual({ samplesPerSecond, span }, { samplesPerSecond: 32_000 / 11, span: undefined });
  });

  it("refuses a run without steps", () => {
    assert.throws(() => warmOf('{"type":"event"}\n', []), /metrics\.jsonl has no step/);
  });
});
