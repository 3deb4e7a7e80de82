import assert from "node:assert/strict";
import { describe, it } from "node:test";
import parse from "parse-prometheus-text-format";
import { createMadeUpRun } from "../made-up-run.test.helper.js";
import { createRunMetrics } from "./metrics.js";

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "GAUGE" | "COUNTER" | "HISTOGRAM" | "SUMMARY" | "UNTYPED";
  readonly metrics: readonly { readonly value: string; readonly labels?: Record<string, string> }[];
}

/** What a parser that is not ours reads. */
async function scrape(metrics: { text(): Promise<string> }): Promise<Map<string, Family>> {
  const families = parse(await metrics.text()) as Family[];
  return new Map(families.map((family) => [family.name, family]));
}

const single = (families: Map<string, Family>, name: string): number => Number(families.get(name)?.metrics[0].value);

describe("/metrics", () => {
  it("says what the run says, to a parser that is not ours", async (test) => {
    const run = createMadeUpRun({ workers: 8, steps: 30 });
    const metrics = createRunMetrics(run.source);
    test.after(() => metrics.close());
    const before = await scrape(metrics);
    assert.equal(single(before, "isobatch_step"), 30);
    assert.equal(single(before, "isobatch_committed_steps_total"), 0, "those of earlier processes");
    run.step();
    run.step();
    const families = await scrape(metrics);
    assert.equal(single(families, "isobatch_step"), 32);
    assert.equal(single(families, "isobatch_committed_steps_total"), 2);
    assert.equal(single(families, "isobatch_committed_samples_total"), 2 * 8 * 64);
    assert.equal(single(families, "isobatch_train_loss"), run.status.loss);
    assert.equal(single(families, "isobatch_test_accuracy_ratio"), run.status.evaluationAccuracy);
    assert.equal(single(families, "isobatch_batch_samples"), 512);
    assert.equal(single(families, "isobatch_checkpoint_age_seconds"), 93);
    assert.deepEqual(families.get("isobatch_workers")?.metrics, [
      { value: "6", labels: { backend: "wasm", state: "computing" } },
      { value: "2", labels: { backend: "wasm", state: "idle" } },
    ]);
    assert.deepEqual(families.get("isobatch_pushes_rejected_total")?.metrics, [
      { value: "2", labels: { shard: "0", reason: "term" } },
    ]);
    assert.deepEqual(families.get("isobatch_sums_received_bytes_total")?.metrics[1], {
      value: "113456789",
      labels: { shard: "1" },
    });
    assert.ok(families.has("process_cpu_seconds_total") && families.has("nodejs_eventloop_lag_seconds"));
  });

  it("has no value where there is none yet", async (test) => {
    const metrics = createRunMetrics(createMadeUpRun({ workers: 0, steps: 0 }).source);
    test.after(() => metrics.close());
    const families = await scrape(metrics);
    for (const name of ["isobatch_train_loss", "isobatch_test_loss", "isobatch_workers_advised", "isobatch_workers"]) {
      assert.deepEqual(families.get(name)?.metrics ?? [], [], name);
    }
    assert.doesNotMatch(await metrics.text(), /\bNaN\b/);
  });

  it("keeps Prometheus' conventions", async (test) => {
    const metrics = createRunMetrics(createMadeUpRun({ workers: 2, steps: 3 }).source);
    test.after(() => metrics.close());
    for (const { name, type, help } of (await scrape(metrics)).values()) {
      assert.match(name, /^[a-z][a-z0-9_]*$/);
      assert.ok(help.length > 5, name);
      assert.equal(name.endsWith("_total"), type === "COUNTER", `${name} is a ${type}`);
      assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|mb|megabytes|percent|count|sum|bucket)(_|$)/, name);
    }
  });

  it("hands a label on as it is, whatever a worker calls itself", async (test) => {
    const run = createMadeUpRun({ workers: 1, steps: 1 });
    run.status.workers[0].id = 'a"b\\c\nd';
    const metrics = createRunMetrics(run.source);
    test.after(() => metrics.close());
    const line = (await metrics.text())
      .split("\n")
      .find((text) => text.startsWith("isobatch_worker_micro_batches_total{"));
    assert.equal(line, 'isobatch_worker_micro_batches_total{worker="a\\"b\\\\c\\nd"} 4');
  });
});
