import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EvaluationLine, MetricsLine, StepLine } from "../../server/record/index.js";
import type { Task } from "../../tasks/index.js";
import { chartsOf } from "./charts.js";
import { CURVE_POINTS_MAX, collectCurves } from "./curves.js";
import { curvesSvg } from "./curves-svg.js";
import { renderReport } from "./report.js";
import type { RunFiles } from "./run-files.js";

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
const filesOf = (lines: MetricsLine[], change: Partial<RunFiles> = {}): RunFiles => ({
  ...{ task, curves: collectCurves(lines, 64), evaluation: undefined, steps: 1, samples: 128, events: [] },
  summary: undefined,
  ...change,
});

describe("collectCurves()", () => {
  it("puts each line's values at its samples", () => {
    const noiseScale = { trace: 1, squaredGradient: 1, scale: 300 };
    const curves = collectCurves([evaluation(0), step(0), step(1, { workers: 2, noiseScale }), evaluation(2)], 64);
    assert.deepEqual(curves.trainLoss, { x: [128, 256], y: [1, 0.5] });
    assert.deepEqual(curves.testAccuracy, { x: [0, 256], y: [25, 25] });
    assert.deepEqual(curves.workers.y, [1, 2]);
    assert.deepEqual(curves.batchSize.y, [128, 128]);
    assert.deepEqual(curves.noiseScale, { x: [256], y: [300] });
    assert.deepEqual(
      curves.phases.map(({ name, points }) => [name, points.y]),
      [
        ["step", [10, 10]],
        ["compute", [8, 8]],
      ],
    );
  });

  it("leaves out what is no number: a diverged loss, an accuracy without meaning", () => {
    const diverged = JSON.parse(JSON.stringify(step(1, { loss: Number.NaN }))) as StepLine;
    const curves = collectCurves([step(0), diverged, { ...evaluation(2), accuracy: null }], 64);
    assert.deepEqual(curves.trainLoss.y, [1]);
    assert.deepEqual(curves.testAccuracy.y, []);
    assert.deepEqual(curves.testLoss.y, [0.5]);
  });

  it("gives a long run no more points than a page can draw", () => {
    function* long() {
      for (let n = 0; n < 20_000; n++) yield step(n, { loss: Math.sin(n) });
    }
    const { phases, ...curves } = collectCurves(long(), 64);
    for (const { x } of [...Object.values(curves), ...phases.map(({ points }) => points)]) {
      assert.ok(x.length <= CURVE_POINTS_MAX);
    }
    assert.equal(curves.trainLoss.x.length, CURVE_POINTS_MAX);
  });
});

describe("chartsOf()", () => {
  it("leaves out charts without a point", () => {
    const ids = (lines: MetricsLine[]) => chartsOf(collectCurves(lines, 64)).map(({ id }) => id);
    assert.deepEqual(ids([]), []);
    assert.deepEqual(ids([step(0)]), ["loss", "learning-rate", "gammas", "cluster", "time"]);
    assert.deepEqual(ids([evaluation(0)]), ["loss", "accuracy"]);
  });
});

describe("renderReport()", () => {
  const evil = '</script><script>alert("1")</script><img src=x onerror=alert(1)>';

  it("escapes whatever comes from the run", () => {
    const ms = { [evil]: 1 };
    const worker = { id: evil, host: evil, device: evil, microBatches: 1, share: 1 };
    const summary = { stateHash: evil, workers: [worker], numerics: null } as unknown as NonNullable<
      RunFiles["summary"]
    >;
    const page = renderReport(
      filesOf([step(0, { ms })], {
        task: { ...task, name: evil },
        events: [{ event: evil, at: evil }],
        summary: { ...summary, samplesPerSecond: 1, durationSeconds: 1, recomputedSteps: 0, bitExact: true },
      }),
    );
    assert.ok(!page.includes("<script>alert"));
    assert.ok(!page.includes("<img"));
    const json = page.split('id="data">')[1].split("</script>")[0];
    assert.match(JSON.stringify(JSON.parse(json)), /<script>alert/);
  });

  it("shows a run that has only begun", () => {
    const page = renderReport(filesOf([], { steps: 0, samples: 0 }));
    assert.match(page, /No step has been taken yet/);
    assert.match(page, /running/);
  });
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
