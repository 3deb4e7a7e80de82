import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkTrained, groupsFor, ratioOf, turned } from "./comparison.js";
import type { PeersLine } from "./scenario.js";
import { stepTimes } from "./step-times.js";
import { tableOf } from "./table.js";

describe("the comparison with PyTorch", () => {
  it("takes ratios within a round, so that a round in which everything is slow changes nothing", () => {
    // The machine is four times slower in the second round, and ours is 0.5, 1 and 0.8 of theirs.
    assert.deepEqual(ratioOf([5, 40, 8], [10, 40, 10]), { ratio: 0.8, lowest: 0.5, highest: 1 });
  });

  it("gives each run every place in the order", () => {
    const orders = [0, 1, 2].map((round) => turned(["a", "b", "c"], round));
    assert.deepEqual(orders, [
      ["a", "b", "c"],
      ["b", "c", "a"],
      ["c", "a", "b"],
    ]);
  });

  it("has as many micro-batches as cores in each layout, and uses all cores where there are more than two", () => {
    for (const cores of [1, 2, 6]) {
      for (const { kappa, layouts } of groupsFor(cores)) {
        const used = layouts.map(({ processes, threads }) => processes * threads);
        assert.deepEqual([...new Set(used)], [kappa]);
      }
    }
    assert.deepEqual(
      [2, 6].map((cores) => groupsFor(cores).at(-1)?.kappa),
      [2, 6],
    );
  });

  it("refuses a run whose loss did not fall", () => {
    const later = (loss: number): number[] => [2.3, ...Array<number>(12).fill(loss)];
    checkTrained("ours", later(1.5));
    assert.throws(() => checkTrained("ours", later(2.25)), /ours did not train: its loss was 2\.300 in the first/);
    assert.throws(() => checkTrained("ours", later(Number.NaN)), /did not train/);
  });
});

describe("stepTimes()", () => {
  const step = (step: number, ms: number): string =>
    `${JSON.stringify({ type: "step", step, loss: 2 / (step + 1), ms: { step: ms } })}\n`;
  const lines = ['{"type":"event"}\n', step(0, 900), step(1, 10), step(2, 12), step(3, 10), '{"type":"evaluation"}\n'];
  const until = (count: number): number => Buffer.byteLength(lines.slice(0, count).join(""));

  it("counts the time between steps by the wall clock, but neither the warm-up nor what follows the last step", () => {
    const looks = [
      { atMs: 50, bytes: until(1) },
      { atMs: 1000, bytes: until(2) },
      { atMs: 1025, bytes: until(3) + 7 },
      { atMs: 1060, bytes: until(5) },
      { atMs: 9000, bytes: until(6) },
    ];
    // Three steps in 60 ms, of which their own clocks say 32.
    assert.deepEqual(stepTimes(lines.join(""), looks, 1), { stepMs: 10, wallMs: 20, losses: [2, 1, 2 / 3, 0.5] });
  });

  it("says so when no look saw the steps", () => {
    assert.throws(
      () => stepTimes(lines.join(""), [{ atMs: 1, bytes: until(6) }], 1),
      /4 steps were over before any of them was seen/,
    );
  });
});

describe("the table", () => {
  const ratio = { ratio: 1.5, lowest: 1.25, highest: 1.75 };
  const beside = { ratio, ratioByWall: ratio, ms: 8, wallMs: 8, processes: 2, threads: 1 };
  const line: PeersLine = {
    ...{ scenario: "peers", rounds: 5, model: "mlp", parameters: 669_706, batch: 64, microBatchesPerStep: 2 },
    ...{ workers: 2, computeThreads: 1, transport: "plain" },
    machine: { cpu: "A processor", cores: 2, node: "v20.1.0", pytorch: "2.15.0", load: 0.2 },
    measured: { ms: 12, wallMs: 12, ddp: beside, others: [{ ...beside, processes: 1, threads: 2, ms: 9 }] },
  };

  it("has ratios first, absolute times in brackets, and says where the wall clock disagrees", () => {
    const slow = { ...line.measured, ddp: { ...beside, ratioByWall: { ...ratio, ratio: 2 } } };
    const lines: PeersLine[] = [line, { ...line, transport: "tls", measured: slow }];
    assert.equal(
      tableOf(lines),
      [
        "Isobatch's step ÷ DDP's of the same round, medians of 5 rounds (lowest–highest); ms per step in brackets.",
        "A processor, 2 cores, Node 20.1.0, PyTorch 2.15.0; load 0.2 before.",
        "",
        "| model, micro-batches per step | workers × threads | gRPC | gRPC, TLS | DDP | PyTorch otherwise |",
        "| --- | --- | --- | --- | --- | --- |",
        "| MLP 784-512-512-10, 0.67 M, 2 × b = 64 | 2 × 1 | **1.5** (1.25–1.75; 12 ms) | **1.5** (1.25–1.75; 12 ms) | 2 × 1: 8 ms | 1 × 2: 9 ms |",
        "",
        "By the wall clock, mlp with 2 × 1 over gRPC, TLS is at 2.",
      ].join("\n"),
    );
  });
});
