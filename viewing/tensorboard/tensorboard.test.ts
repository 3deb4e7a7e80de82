// TensorBoard's own reader is the judge: it checks the framing, and knows what it means that a run went back.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Python, preparePython } from "../../server/python.test.helper.js";
import { METRICS_FILE, type MetricsLine, RUN_FILES, readJsonLines } from "../../server/record/index.js";
import { serve, smallTask, temporaryFolder, work } from "../../server/test-server.test.helper.js";
import { crc32c } from "./crc32c.js";
import { createScalars, createTensorBoard } from "./tensorboard.js";

/** By tag: wall time, step and value of each scalar that is left. */
type ReadScalars = Record<string, [wallTime: number, step: number, value: number][]>;

const PROGRAM = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
print(json.dumps({tag: [[e.wall_time, e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

describe("the CRC of TensorBoard's records", () => {
  it("is CRC-32C (RFC 3720, B.4)", () => {
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
    assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i))), 0x46dd794e);
    assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
  });
});

describe("TensorBoard's scalars of a run", () => {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-tensorboard-"));
  let python: Python;
  before(() => {
    python = preparePython("tensorboard.backend.event_processing.event_accumulator", [
      ...["tensorboard", "numpy", "protobuf", "absl-py", "packaging", "setuptools"],
    ]);
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = (runFolder: string): ReadScalars => {
    const run = spawnSync(python.interpreter!, ["-c", PROGRAM, join(runFolder, RUN_FILES.tensorboard)], {
      encoding: "utf8",
    });
    assert.equal(run.status, 0, run.stderr);
    return JSON.parse(run.stdout) as ReadScalars;
  };
  const seen = (scalars: ReadScalars, tag: string) => scalars[tag].map(([, step, value]) => [step, value]);
  const step = (n: number, loss: number): MetricsLine => ({
    ...{ type: "step", step: n, samples: 64 * (n + 1), loss, learningRate: 0.125, gamma1: 0.1, gamma2: 0.001 },
    ...{ microBatches: 2, workers: 3, noiseScale: { trace: 1, squaredGradient: 1, scale: 0.5 }, ms: { step: 16 } },
  });
  const open = (onFailed = (error: unknown): void => assert.fail(String(error))) =>
    createScalars({ folder: join(folder, RUN_FILES.tensorboard), microBatchSize: 32, onFailed });
  const restored = (at: number): MetricsLine => ({ type: "event", event: "restored", at: "", step: at });

  it("are those of the history that led here, after a rollback, a torn file and a resumption", (test) => {
    if (python.interpreter === undefined) return test.skip(python.missing);
    const first = open();
    first.add(restored(0));
    for (let n = 0; n < 8; n++) first.add(step(n, 1));
    first.add({ type: "evaluation", step: 4, samples: 256, loss: 0.75, accuracy: 0.25 });
    first.add({ type: "evaluation", step: 7, samples: 448, loss: 99, accuracy: 0 });
    first.add(restored(6));
    for (let n = 6; n < 9; n++) first.add(step(n, 2));
    first.close();
    const [file] = readdirSync(join(folder, RUN_FILES.tensorboard));
    const path = join(folder, RUN_FILES.tensorboard, file);
    truncateSync(path, statSync(path).size - 5);
    const second = open();
    second.add(restored(7));
    second.add(step(7, 4));
    second.close();

    const scalars = read(folder);
    const losses = [1, 1, 1, 1, 1, 1, 2, 4].map((loss, n) => [n, loss]);
    assert.deepEqual(seen(scalars, "training/loss"), losses);
    assert.deepEqual(seen(scalars, "evaluation/loss"), [[4, 0.75]]);
    assert.deepEqual(seen(scalars, "evaluation/accuracy"), [[4, 0.25]]);
    const last = Object.entries(scalars).map(([tag, values]) => [tag, values.at(-1)!.slice(1)]);
    assert.deepEqual(Object.fromEntries(last), {
      "training/loss": [7, 4],
      "training/learning_rate": [7, 0.125],
      "training/micro_batches_per_step": [7, 2],
      "training/noise_scale": [7, 0.5],
      "evaluation/loss": [4, 0.75],
      "evaluation/accuracy": [4, 0.25],
      "speed/samples_per_second": [7, 4_000],
      "speed/workers": [7, 3],
    });
    const [wallTime] = scalars["training/loss"][0];
    assert.ok(Math.abs(wallTime - Date.now() / 1000) < 3_600, `written at ${wallTime}`);
  });

  it("are those of metrics.jsonl after a run that was stopped at once and resumed", {
    timeout: 60_000,
  }, async (test) => {
    if (python.interpreter === undefined) return test.skip(python.missing);
    const [task, out] = [await smallTask(6), temporaryFolder(test)];
    const broken = await serve(test, { task, out, observers: [createTensorBoard()] });
    let reached: () => void;
    const middle = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const onLease = async (lease: { step: number }): Promise<void> => {
      if (lease.step === 3) reached();
    };
    const worker = await work(test, broken.address, { onLease });
    worker.ended.catch(() => {});
    await middle;
    await broken.abort();
    const resumed = await serve(test, { task, out, observers: [createTensorBoard()] });
    await work(test, resumed.address);
    await resumed.finished;

    const lines = [...readJsonLines<MetricsLine>(join(out, METRICS_FILE))];
    const scalars = read(out);
    const told = (type: MetricsLine["type"]) =>
      lines.flatMap((line) => (line.type === type ? [[line.step, Math.fround(line.loss as number)]] : []));
    assert.equal(told("step").length, 6);
    assert.deepEqual(seen(scalars, "training/loss"), told("step"));
    assert.deepEqual(seen(scalars, "evaluation/loss"), told("evaluation"));
    assert.equal(readdirSync(join(out, RUN_FILES.tensorboard)).length, 2);
  });

  it("are left out, with one warning, where they can't be written", () => {
    const failures: unknown[] = [];
    const scalars = createScalars({
      folder: "/dev/null/tensorboard",
      microBatchSize: 32,
      onFailed: (error) => failures.push(error),
    });
    for (let n = 0; n < 3; n++) {
      scalars.add(step(n, 1));
      scalars.add({ type: "event", event: "checkpoint", at: "", step: n });
    }
    scalars.close();
    assert.equal(failures.length, 1);
    assert.match(String(failures[0]), /Can't make the folder \/dev\/null\/tensorboard/);
  });
});
