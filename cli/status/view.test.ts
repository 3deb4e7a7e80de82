import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { Status } from "../../shared/wire/index.js";
import { createPaint } from "../progress/view.js";
import { type StatusView, statusLines } from "./view.js";

type Worker = Status["workers"][number];

const NUMERICS = { backend: "", version: "", architecture: "", flags: "" };

const workerOf = (id: string, more: Partial<Worker> = {}): Worker => ({
  ...{ id, host: "gpu-server", processId: 1, numerics: NUMERICS, computeThreads: 4, state: "computing" },
  transport: "memory",
  ...{ microBatchesPerSecond: 12.34, microBatches: 1_234, lastSeenSeconds: 0.31, device: "an AMD EPYC", ...more },
});

const statusOf = (more: Partial<Status> = {}): Status => ({
  ...{ runId: "5f9ca007-2222-4444-8888-123456789abc", task: "mnist", phase: "stepping", term: 1, version: "0.1.0" },
  ...{ step: 500, steps: 1_000, samples: 128_000, samplesTotal: 256_000, loss: 0.1234, samplesPerSecond: 2_610 },
  ...{
    microBatchesPerStep: 4,
    kappaRule: "always 4",
    microBatchSize: 64,
    checkpointStep: 450,
    secondsLeft: 49,
    learningRate: 0.004,
  },
  ...{
    gamma1: 0.1,
    gamma2: 0.004,
    evaluated: true,
    evaluationStep: 450,
    evaluationLoss: 0.2,
    evaluationAccuracy: 0.9731,
  },
  ...{ failure: "", workerFailure: "" },
  ...{ modelKind: "sequential", modelLayers: 4, parameters: 669_706, trainedParameters: 669_706 },
  ...{ trainingSamples: 60_000, testSamples: 10_000 },
  ...{ noiseScale: 310, workersAdvised: 4, advice: "adding workers up to 4 still pays" },
  workers: [workerOf("one-1"), workerOf("two-2", { state: "idle" })],
  shards: [{ index: 0, address: ":7400", state: "attached", version: 500, firstChunk: 0, endChunk: 6 }],
  ...more,
});

const linesOf = (more: Partial<Status>, columns: number, rows: number, gone?: StatusView["gone"]): string[] =>
  statusLines({ status: statusOf(more), address: "10.0.0.7:7400", gone }, { columns, rows, paint: createPaint(false) });

const crowd = Array.from({ length: 64 }, (_, i) =>
  workerOf(`gpu-server-${i}`, i === 40 ? { state: "silent" } : i === 50 ? { state: "draining" } : {}),
);

describe("statusLines()", () => {
  it("shows a run on 80 columns", () => {
    assert.deepEqual(
      linesOf({}, 80, 24).map((line) => line.trimEnd()),
      [
        "mnist  stepping, term 1                              10.0.0.7:7400  run 5f9ca007",
        "█████████████░░░░░░░░░░░░░  50 %  128,000 of 256,000 samples  2,610/s  49 s left",
        "",
        "step         500 of 1,000                model        669,706 parameters",
        "epoch        2.13 of 4.3                 loss         0.123",
        "κ            4 micro-batches             test loss    0.200, accuracy 97.31 %",
        "batch        256 samples                 η′           0.00400",
        "noise scale  310 samples                 checkpoint   of step 450",
        "more workers: adding workers up to 4 still pays",
        "",
        "2 workers  state       speed   done  last seen  via     device",
        "one-1      computing  12.3/s  1,234      0.3 s  memory  an AMD EPYC, 4 threads",
        "two-2      idle       12.3/s  1,234      0.3 s  memory  an AMD EPYC, 4 threads",
        "",
        "1 shard  at version 500",
        "",
        "q or Ctrl-C leaves; the run continues",
      ],
    );
  });

  it("shows how κ follows the run", () => {
    const text = linesOf({ microBatchesPerStep: 8, kappaRule: "2 per worker" }, 80, 24).join("\n");
    assert.match(text, /^κ {12}8, 2 per worker {3}/m);
  });

  it("fits every screen, with colours too, however many workers there are and whatever their names", () => {
    const evil = crowd.with(3, workerOf("evil", { device: "\x1b[2Ja device\r\n".repeat(20) }));
    for (const workers of [[], crowd.slice(0, 1), crowd, evil]) {
      for (const [columns, rows] of [
        [40, 10],
        [80, 24],
        [120, 30],
        [200, 60],
        [20, 5],
      ] as const) {
        for (const gone of [undefined, { seconds: 12, reason: "Cannot reach it." }]) {
          const view = { status: statusOf({ workers }), address: "10.0.0.7:7400", gone };
          for (const color of [true, false]) {
            const lines = statusLines(view, { columns, rows, paint: createPaint(color) });
            assert.ok(lines.length <= rows, `${lines.length} lines on ${rows}`);
            for (const line of lines) {
              const plain = stripVTControlCharacters(line);
              assert.ok([...plain].length <= columns, `${[...plain].length} characters on ${columns}: ${plain}`);
              assert.doesNotMatch(plain, /\p{Cc}/u);
            }
          }
        }
      }
    }
  });

  it("shows silent and draining workers first, and counts those for which there is no room", () => {
    const lines = linesOf({ workers: crowd }, 120, 24);
    const table = lines.slice(lines.findIndex((line) => line.startsWith("64 workers")) + 1);
    assert.match(table[0], /^gpu-server-40 +silent/);
    assert.match(table[1], /^gpu-server-50 +draining/);
    assert.match(table[2], /^gpu-server-0 +computing/);
    const shown = table.findIndex((line) => line.startsWith("and "));
    assert.equal(table[shown], `and ${64 - shown} more workers: ${64 - shown} computing`);
    assert.equal(lines.length, 24);
  });

  it("says what is not known yet", () => {
    const unknown = { loss: Number.NaN, noiseScale: Number.NaN, learningRate: Number.NaN, evaluated: false };
    const nothing = {
      ...unknown,
      step: 0,
      samples: 0,
      samplesPerSecond: 0,
      secondsLeft: Number.NaN,
      checkpointStep: -1,
    };
    const text = linesOf({ ...nothing, workers: [], advice: "" }, 80, 24).join("\n");
    for (const words of ["no step yet", "not evaluated yet", "not resolved", "none yet", "no workers yet"]) {
      assert.ok(text.includes(words), `${words} in ${text}`);
    }
    assert.doesNotMatch(text, /NaN|left\b.*left|more workers:/);
  });

  it("says for how long the server has not answered, and which shard is missing", () => {
    const shards = [0, 1].map((index) => ({
      ...statusOf().shards[0],
      index,
      state: index === 1 ? "missing" : "attached",
    }));
    const text = linesOf({ shards }, 80, 24, { seconds: 12, reason: "Cannot reach it." }).join("\n");
    assert.match(text, /^no answer for 12 s; the figures below are older\. Cannot reach it\. Trying again\.$/m);
    assert.match(text, /^2 shards {2}missing: 1$/m);
  });
});
