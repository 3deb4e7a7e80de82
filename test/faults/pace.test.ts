/**
 * Runs of any pace keep their connections: one whose steps take two milliseconds, and one whose steps take longer than a
 * minute, while a compute thread stays inside one call and the other worker has nothing to do. The second one takes some
 * minutes: `npm run faults -- pace`. `npm test` runs the first one, and tests that an idle connection is kept
 * (shared/wire/liveness.test.ts).
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { METRICS_FILE, type MetricsLine, readJsonLines, type StepLine } from "../../server/record/index.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { type Link, openLink } from "../../shared/wire/link.test.helper.js";
import { type Program, type Scene, until, withScene } from "./programs.test.helper.js";

interface Pace {
  /** The units of the model's two hidden layers. */
  readonly units: number;
  readonly microBatchSize: number;
  readonly steps: number;
  readonly backend: "wasm" | "cpu";
  readonly workers: number;
}

const FAST: Pace = { units: 8, microBatchSize: 4, steps: ALL ? 3_000 : 100, backend: "wasm", workers: 1 };
/** In plain JavaScript one such micro-batch takes 70 to 80 s on a core of 2026. */
const SLOW: Pace = { units: 2_048, microBatchSize: 1_800, steps: 2, backend: "cpu", workers: 2 };
const MINUTE_MS = 60_000;

function flowers(rows: number): string {
  const row = (i: number): string => [i % 7, (i * i) % 11, (3 * i) % 5, 1, ["rose", "tulip", "daisy"][i % 3]].join();
  return ["a,b,c,d,kind", ...Array.from({ length: rows }, (_, i) => row(i))].join("\n");
}

function writeTask({ task }: Scene, { units, microBatchSize, steps }: Pace): void {
  const file = join(dirname(task), "flowers.csv");
  writeFileSync(file, flowers(microBatchSize + 96));
  const samples = steps * microBatchSize;
  const content = {
    ...{ name: "pace", seed: 5, loss: "softmaxCrossEntropy", learningRate: 0.001 },
    model: {
      kind: "sequential",
      layers: [
        { layer: "Dense", units, activation: "relu", inputShape: [4] },
        { layer: "Dense", units, activation: "relu" },
        { layer: "Dense", units: 3 },
      ],
    },
    dataset: { kind: "csv", file, label: "kind", target: "classes", testFraction: 48 / (microBatchSize + 96) },
    ...{ microBatchSize, microBatchesPerStep: 1, evaluationBatchSize: 8, samples },
    ...{ evaluateEverySamples: samples, checkpointEverySamples: samples },
  };
  writeFileSync(task, JSON.stringify(content));
}

function stepsIn(out: string): StepLine[] {
  return [...readJsonLines<MetricsLine>(join(out, METRICS_FILE))].filter((line) => line.type === "step");
}

/** Trains over a link; resolves with the steps when all connections have lasted until the last of them. */
function train(pace: Pace, signal: AbortSignal): Promise<StepLine[]> {
  return withScene({}, async (scene) => {
    writeTask(scene, pace);
    const place = ["--listen", "127.0.0.1:0", "--no-http", "--workers-awaited", `${pace.workers}`];
    const server = scene.start(["server", scene.task, "--out", scene.out, ...place]);
    await until(() => server.output.includes("worker join"), "the server's join line", [server]);
    const port = Number(/server at 127\.0\.0\.1:(\d+)/.exec(server.output)![1]);
    const link = await openLink({ target: { host: "127.0.0.1", port }, listen: { host: "127.0.0.2", port } });
    try {
      const token = readFileSync(join(scene.out, "token"), "utf8").trim();
      const workers = Array.from({ length: pace.workers }, () =>
        scene.start(["worker", "join", `127.0.0.2:${port}`, "--backend", pace.backend, "--compute-threads", "1"], {
          ISOBATCH_TOKEN: token,
        }),
      );
      const programs = [server, ...workers];
      await untilTrained(scene, pace, link, programs, signal);
      await until(() => programs.every(({ exit }) => exit !== undefined), "the end of all programs");
      for (const program of programs) {
        assert.deepEqual(await program.exited, { code: 0, signal: null }, program.output);
        assert.doesNotMatch(program.output, /again|failed|lost/);
      }
      return stepsIn(scene.out);
    } finally {
      await link.close();
    }
  });
}

/** @param signal ends the waiting, so that programs that stall are ended too */
async function untilTrained(
  scene: Scene,
  { steps, workers }: Pace,
  link: Link,
  programs: readonly Program[],
  signal: AbortSignal,
): Promise<void> {
  for (let done = 0; done < steps; ) {
    await sleep(100, undefined, { signal });
    const closed = link.connections.filter((connection) => connection.closed).length;
    done = stepsIn(scene.out).length;
    assert.ok(done === steps || closed === 0, `${closed} connections have ended after ${done} steps`);
    const ended = programs.find(({ exit }) => exit !== undefined);
    assert.ok(done === steps || ended === undefined, ended?.output);
  }
  // One for commands, one for weights, and one for sums.
  assert.ok(link.connections.length <= 3 * workers, `${link.connections.length} connections`);
}

function report(test: TestContext, steps: readonly StepLine[]): void {
  const times = steps.map(({ ms }) => ms.step).sort((a, b) => a - b);
  test.diagnostic(`${times.length} steps, the median takes ${times[times.length >> 1].toFixed(1)} ms`);
}

describe("a run's connections", { timeout: 1_800_000 }, () => {
  it("last while steps take some milliseconds", { timeout: 120_000 }, async (test) => {
    const steps = await train(FAST, test.signal);
    report(test, steps);
    assert.equal(steps.length, FAST.steps);
  });

  it("last while steps take longer than a minute", { skip: !ALL }, async (test) => {
    const steps = await train(SLOW, test.signal);
    report(test, steps);
    const shortestMs = Math.min(...steps.map(({ ms }) => ms.step));
    // How fast a machine is decides nothing about the program.
    if (shortestMs <= MINUTE_MS) test.skip(`a step took only ${shortestMs.toFixed(0)} ms here, which shows nothing`);
  });
});
