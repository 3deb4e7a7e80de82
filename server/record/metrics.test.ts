import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readJsonLines } from "./json-lines.js";
import { LEDGER_FILE, METRICS_FILE, type MetricsLine, openLedger, openMetrics } from "./metrics.js";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "isobatch-metrics-"));
});
after(() => rmSync(folder, { recursive: true }));

describe("RunRecord.cutBack()", () => {
  it("keeps earlier steps and evaluations, and every event", () => {
    const metrics = openMetrics(folder);
    const step = (n: number): MetricsLine => ({
      type: "step",
      step: n,
      samples: 64 * (n + 1),
      loss: 1,
      learningRate: 0.1,
      gamma1: 0.1,
      gamma2: 0.001,
      microBatches: 2,
      workers: 1,
      noiseScale: null,
      ms: { step: 3 },
    });
    const evaluation = (n: number): MetricsLine => ({
      type: "evaluation",
      step: n,
      samples: 0,
      loss: 1,
      accuracy: 0.5,
    });
    const event: MetricsLine = { type: "event", event: "worker joined", at: "2026-01-01T00:00:00Z" };
    for (let n = 0; n < 5; n++) for (const line of [step(n), evaluation(n), event]) metrics.append(line);
    metrics.cutBack(2);
    metrics.close();
    const left = [...readJsonLines<MetricsLine>(join(folder, METRICS_FILE))];
    const expected = [step(0), evaluation(0), event, step(1), evaluation(1), event, event, event, event];
    assert.deepEqual(left, expected);
  });

  it("keeps the ledger's earlier steps", () => {
    const ledger = openLedger(folder);
    for (const [step, shard] of [
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 0],
      [2, 0],
    ]) {
      ledger.append({ step, shard, term: 1, merged: [{ chunks: [0, 4], ranges: [[0, 2, "w1"]] }] });
    }
    ledger.cutBack(1);
    assert.equal(ledger.count, 2);
    ledger.close();
    const left = [...readJsonLines<{ step: number; shard: number }>(join(folder, LEDGER_FILE))];
    assert.deepEqual(
      left.map(({ step, shard }) => [step, shard]),
      [
        [0, 0],
        [0, 1],
      ],
    );
  });
});
