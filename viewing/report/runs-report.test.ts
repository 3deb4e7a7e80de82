import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { openMetrics, openRunDirectory } from "../../server/record/index.js";
import { createLayout } from "../../shared/layout/index.js";
import { renderRunsReport, runNames } from "./runs-report.js";

const root = mkdtempSync(join(tmpdir(), "isobatch-runs-"));
after(() => rmSync(root, { recursive: true }));
const EVIL = "</script><img src=x onerror=alert(1)>";

/** A run of ten steps, whose loss falls at this rate. */
function writeRun(name: string, task: object, rate: number): string {
  const folder = join(root, name);
  const json = JSON.stringify({ name: "small", microBatchSize: 64, microBatchesPerStep: 2, samples: 1_280, ...task });
  const layout = createLayout([{ name: "w", shape: [2], kind: "parameter", decay: true }]);
  const run = openRunDirectory({ folder, task: { name: "t", hash: "h", json }, version: "0", topology: "{}", layout });
  const metrics = openMetrics(folder);
  for (let step = 0; step < 10; step++) {
    const samples = 128 * (step + 1);
    metrics.append({
      ...{ type: "step", step, samples, loss: Math.exp(-rate * step), learningRate: 0.004, gamma1: 0.4, gamma2: 0.004 },
      ...{ microBatches: 2, workers: 1, noiseScale: null, ms: { step: 20, compute: 15 } },
    });
    metrics.append({ type: "evaluation", step: step + 1, samples, loss: 1, accuracy: 0.5 + rate / 2 });
  }
  metrics.close();
  run.close();
  return folder;
}

const dataOf = (page: string): { charts: { id: string; curves: { label: string; colour: number; y: number[] }[] }[] } =>
  JSON.parse(page.split('id="data">')[1].split("</script>")[0]);

describe("renderRunsReport()", () => {
  it("has one chart per quantity with a curve per run, and the settings that differ", () => {
    const folders = [
      writeRun("slow", { learningRate: 0.001, seed: 3 }, 0.1),
      writeRun("fast", { learningRate: 0.01, seed: 3 }, 0.5),
    ];
    const page = renderRunsReport(folders);
    const { charts } = dataOf(page);
    assert.deepEqual(
      charts.map(({ id, curves }) => [id, curves.map(({ label, colour }) => `${label} ${colour}`)]),
      ["train-loss", "test-loss", "accuracy", "learning-rate"].map((id) => [`runs-${id}`, ["slow 1", "fast 2"]]),
    );
    const accuracies = charts[2].curves.map(({ y }) => Math.round(y.at(-1)!));
    assert.deepEqual(accuracies, [55, 75]);
    const [differing, common] = page.split("Settings that differ</h2>")[1].split("The same in all runs");
    assert.match(differing, />Learning rate \(η\)</);
    assert.match(differing, />0\.001<.*>0\.01</s);
    assert.doesNotMatch(differing, />Seed</);
    assert.match(common, /<dt>Seed<\/dt><dd>3<\/dd>/);
    assert.doesNotMatch(common, /<dt>Learning rate/);
  });

  it("takes a run that has not finished, one folder twice, and many runs", () => {
    const folder = writeRun("twice", { samples: 64_000 }, 0.2);
    const page = renderRunsReport(new Array(20).fill(folder));
    assert.match(page, /not finished/);
    assert.match(page, /None: all runs have the same task/);
    assert.ok(dataOf(page).charts[0].curves.every(({ colour }) => colour >= 1 && colour <= 8));
  });

  it("escapes everything that comes from the runs", () => {
    const page = renderRunsReport([
      writeRun("one", { name: EVIL, precision: EVIL }, 1),
      writeRun("two", { name: EVIL }, 1),
    ]);
    assert.ok(!page.includes("<img"));
  });

  it("refuses a folder that is not a run directory", () => {
    assert.throws(() => renderRunsReport([join(root, "nothing")]), {
      code: "invalid_input",
      message: /is not a run directory/,
    });
  });
});

describe("runNames()", () => {
  it("are as short as possible", () => {
    assert.deepEqual(runNames(["runs/a", "runs/b"]), ["a", "b"]);
    assert.deepEqual(runNames(["/x/one/run", "/x/two/run"]), ["one/run", "two/run"]);
    assert.deepEqual(runNames(["/x/run", "/x/run"]), ["run", "run"]);
    assert.deepEqual(runNames([]), []);
  });
});
