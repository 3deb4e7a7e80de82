import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EvaluationLine, MetricsLine, StepLine } from "../../server/record/index.js";
import type { Task } from "../../tasks/index.js";
import { historyOf } from "../charts/index.js";
import { curvesSvg } from "./curves-svg.js";
import { renderReport } from "./report.js";
import { chartsOf } from "./report-data.js";
import { type RunFiles, readRecord } from "./run-files.js";

const task = {
  name: "mnist",
  microBatchSize: 64,
  microBatchesPerStep: 2,
  learningRate: 0.001,
  optimizer: { name: "invariant", rule: "linear" },
} as Task;

const step = (n: number, change: Partial<StepLine> = {}): StepLine => ({
  ...{ type: "step", step: n, samples: 128 * (n + 1), loss: 1 / (n + 1), learningRate: 0.002, gamma1: 0.2 },
  ...{ gamma2: 0.002, microBatches: 2, workers: 1, noiseScale: null, ms: { step: 10, compute: 8 } },
  ...change,
});
const evaluation = (n: number): EvaluationLine => ({
  ...{ type: "evaluation", step: n, samples: 128 * n, loss: 0.5, accuracy: 0.25 },
});
const SIZES = { microBatchSize: 64, samplesTotal: 1_000_000 };
const identity = { runId: "r", taskName: "mnist", taskHash: "h", term: 1, numerics: null, version: "0.1.0" };
const filesOf = (lines: MetricsLine[], change: Partial<RunFiles> = {}): RunFiles => ({
  task,
  identity,
  layout: { tensors: [] },
  summary: undefined,
  ...readRecord(lines),
  ...change,
});

describe("chartsOf()", () => {
  it("leaves out charts without a value: a diverged loss, an accuracy without meaning", () => {
    const ids = (lines: MetricsLine[]) => chartsOf(historyOf(lines), SIZES).map(({ data }) => data.id);
    const diverged = JSON.parse(JSON.stringify(step(1, { loss: Number.NaN }))) as StepLine;
    const times = ["learning-rate", "cluster", "time", "gammas"];
    assert.deepEqual(ids([]), []);
    assert.deepEqual(ids([step(0)]), ["loss", ...times]);
    assert.deepEqual(ids([diverged]), times);
    assert.deepEqual(ids([evaluation(0)]), ["loss", "accuracy"]);
    assert.deepEqual(ids([{ ...evaluation(2), accuracy: null }]), ["loss"]);
  });

  it("gives a long run no more points than a page can draw", () => {
    function* long() {
      for (let n = 0; n < 20_000; n++) yield step(n, { loss: Math.sin(n) });
    }
    for (const { data } of chartsOf(historyOf(long()), SIZES)) {
      for (const { x } of data.curves) assert.ok(x.length <= 2_048 && x.length > 1_000, `${x.length} points`);
    }
  });
});

describe("renderReport()", () => {
  const evil = '</script><script>alert("1")</script><img src=x onerror=alert(1)>';

  it("escapes everything that comes from the run", () => {
    const ms = { [evil]: 1 };
    const worker = { id: evil, host: evil, device: evil, microBatches: 1, share: 1 };
    const summary = { stateHash: evil, workers: [worker], numerics: null } as unknown as NonNullable<
      RunFiles["summary"]
    >;
    const page = renderReport(
      filesOf([step(0, { ms })], {
        task: { ...task, name: evil },
        happenings: [{ text: evil, at: evil }],
        identity: { ...identity, runId: evil, version: evil },
        layout: { tensors: [{ name: evil, shape: [1], kind: "parameter", decay: true, offset: 0, length: 1 }] },
        starts: { firstAt: evil, lastAt: evil, count: 2, command: evil },
        summary: { ...summary, samplesPerSecond: 1, durationSeconds: 1, recomputedSteps: 0, bitExact: true },
      }),
    );
    assert.ok(!page.includes("<script>alert"));
    assert.ok(!page.includes("<img"));
    const json = page.split('id="data">')[1].split("</script>")[0];
    assert.ok(Array.isArray(JSON.parse(json).charts));
  });

  it("shows a run that has only started", () => {
    const page = renderReport(filesOf([]));
    assert.match(page, /No step has been computed yet/);
    assert.match(page, /running/);
  });
});

describe("a report's figures and details", () => {
  const facts = {
    ...{ modelKind: "sequential", modelLayers: 2, parameters: 7_850, trainedParameters: 7_850 },
    ...{ trainingSamples: 1_000, testSamples: 100, classes: 10 },
  };
  const at = "2026-01-01T10:00:00.000Z";
  const lines: MetricsLine[] = [
    { type: "event", event: "started", at, version: "0.1.0", command: "isobatch run mnist --steps 4" },
    { type: "event", event: "workerJoined", at, worker: "vm-1", device: "one CPU", computeThreads: 2 },
    { type: "event", event: "workerLeft", at, worker: "vm-1", reason: "its stream broke" },
    { type: "event", event: "kappa", at, step: 2, from: 1, kappa: 2, reason: "2 workers" },
    { type: "event", event: "restored", at, step: 2, recomputedSteps: 3, term: 2 },
    evaluation(0),
    step(0),
    { ...evaluation(1), accuracy: 0.975 },
    step(1),
    { ...evaluation(2), accuracy: 0.97 },
  ];
  const full = {
    ...task,
    ...({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clipNorm: 1.5, seed: 7 } as Task),
    samples: 2_500,
  };
  const tensors = [
    { name: "dense_1/kernel", shape: [784, 10], kind: "parameter", decay: true, offset: 0, length: 7_840 } as const,
    { name: "dense_1/bias", shape: [10], kind: "frozen", decay: true, offset: 7_840, length: 10 } as const,
  ];
  const page = renderReport(filesOf(lines, { task: full, identity: { ...identity, facts }, layout: { tensors } }));
  const WANTED: [what: string, text: string][] = [
    ["the last evaluation", '<span class="value">97.00 %</span><small>best 97.50 % after 128 samples</small>'],
    ["real epochs", '<dt>Epochs</dt><dd><span class="value">0.26</span>'],
    ["the planned epochs", "2,500 samples, 2.50 epochs"],
    ["the command line", "isobatch run mnist --steps 4"],
    ["the version", "0.1.0"],
    ["the date", "1 January 2026, 10:00 UTC"],
    ["β", "<dt>β₁, β₂</dt><dd>0.9, 0.999</dd>"],
    ["ε", "<dt>ε</dt><dd>1e-8</dd>"],
    ["the clipping", "at norm 1.5"],
    ["the seed", "<dt>Seed</dt><dd>7</dd>"],
    ["the model's size", "<dt>Parameters</dt><dd>7,850</dd>"],
    ["the layers", "kernel 784 × 10, bias 10"],
    ["the classes", "<dt>Classes</dt><dd>10</dd>"],
    ["a join", "Worker vm-1 joined: one CPU"],
    ["a loss of a worker", "Worker vm-1 left: its stream broke"],
    ["a change of κ", "2 micro-batches per step (κ) instead of 1"],
    ["a rollback", "Training continues from the checkpoint of step 2; 3 steps are computed again"],
  ];
  for (const [what, text] of WANTED) it(`include ${what}`, () => assert.ok(page.includes(text), text));
});

describe("curvesSvg()", () => {
  it("draws every evaluation, and escapes the task's name", () => {
    const svg = curvesSvg(
      filesOf([step(0), step(1), evaluation(1), evaluation(2)], { task: { ...task, name: "a<b" } }),
    );
    assert.equal(svg.match(/<circle/g)?.length, 4);
    assert.ok(svg.includes("a&#60;b") && !svg.includes("a<b"));
    assert.ok(!/NaN|Infinity/.test(svg));
  });

  it("draws empty axes for a run without steps", () => {
    assert.ok(!/NaN|Infinity/.test(curvesSvg(filesOf([]))));
  });
});
