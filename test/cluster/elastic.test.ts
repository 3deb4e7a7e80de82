import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { trainInProcess } from "../../experiment/index.js";
import type { RunningServer } from "../../server/index.js";
import { METRICS_FILE, type MetricsLine, readJsonLines, readKappaRecord } from "../../server/record/index.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { loadTask, type Task } from "../../tasks/index.js";
import { broken } from "../promises.test.helper.js";
import { type Cluster, withCluster } from "./run-cluster.test.helper.js";

const RANGE = { perWorker: 2, min: 1, max: 6 };

/** Real images, and a model so small that the run's time is that of its workers joining and leaving. */
const small = (change: Parameters<typeof loadTask>[1] = {}): Promise<Task> =>
  loadTask("mnist", {
    model: {
      kind: "sequential",
      layers: [
        { layer: "Flatten", inputShape: [28, 28, 1] },
        { layer: "Dense", units: 10 },
      ],
    },
    schedule: { kind: "constant" },
    microBatchesPerStep: RANGE,
    samples: 16 * 1_000_000,
    microBatchSize: 16,
    evaluateEverySamples: 16 * 1_000_000,
    checkpointEverySamples: 16 * 1_000_000,
    evaluationBatchSize: 100,
    dataset: { kind: "mnist", limit: 2_000, testLimit: 300 },
    ...change,
  });

/** Resolves at the first step line that satisfies the condition. */
function untilStep(server: RunningServer, condition: (line: Extract<MetricsLine, { type: "step" }>) => boolean) {
  return new Promise<void>((resolve) => {
    const unsubscribe = server.metrics.subscribe(0, (json) => {
      const line = JSON.parse(json) as MetricsLine;
      if (line.type !== "step" || !condition(line)) return;
      unsubscribe();
      resolve();
    });
  });
}

/** One worker; then a second and a third; then one of them leaves; then the run is stopped. */
async function comeAndGo({ server, join: add, out }: Cluster) {
  await untilStep(server, ({ step }) => step >= 3);
  const second = await add();
  await untilStep(server, ({ microBatches }) => microBatches === 4);
  await add();
  await untilStep(server, ({ microBatches }) => microBatches === 6);
  await second.stop();
  let sixes = 0;
  await untilStep(server, ({ microBatches }) => {
    if (microBatches === 6) sixes++;
    return sixes > 0 && microBatches === 4;
  });
  server.stop();
  const { summary } = await server.finished;
  return { summary, record: readKappaRecord(out, RANGE), lines: linesOf(out) };
}

function linesOf(out: string): MetricsLine[] {
  return [...readJsonLines<MetricsLine>(join(out, METRICS_FILE))];
}

describe("an elastic run", () => {
  it("has the bits of its record replayed in one process, and on other workers and shards", async () => {
    const endless = await small();
    await withCluster({ task: endless, workers: 1 }, async (cluster) => {
      const { summary, record, lines } = await comeAndGo(cluster);
      const { stateHash: hash, samples } = summary;
      const task = await small({ samples });
      const kappas = record.map(({ microBatches }) => microBatches);
      assert.deepEqual(kappas, [2, 4, 6, 4]);
      assert.match(record[1].reason, /^worker .* joined: 2 workers$/);
      assert.match(record[3].reason, /^worker .* left: 2 workers$/);

      // Each change is reported with its rates, and each step uses the record's κ.
      const events = lines.flatMap((line) => (line.type === "event" && line.event === "kappa" ? [line] : []));
      assert.deepEqual(
        events.map(({ kappa }) => kappa),
        kappas,
      );
      const steps = lines.flatMap((line) => (line.type === "step" ? [line] : []));
      for (const { step, microBatches, gamma1, gamma2, learningRate } of steps) {
        const { microBatches: recorded } = record.findLast((fact) => fact.step <= step)!;
        assert.equal(microBatches, recorded);
        // The linear rule.
        assert.ok(Math.abs(gamma1 - recorded * (1 - task.beta1)) < 1e-12);
        assert.ok(Math.abs(gamma2 - recorded * (1 - task.beta2)) < 1e-12);
        assert.ok(learningRate <= recorded * task.learningRate * (1 + 1e-12));
      }

      const inOneProcess = await trainInProcess(task, { kappaRecord: record, evaluate: false });
      assert.equal(inOneProcess.stateHash, hash, broken("sameBits", "The record of κ, replayed in one process."));
      const replays = [
        { workers: 3, shards: 1, computeThreads: 2 },
        { workers: 1, shards: 2 },
      ];
      for (const replay of ALL ? replays : replays.slice(0, 1)) {
        const options = { task, ...replay, replayKappa: cluster.out };
        const replayed = await withCluster(options, async ({ server }) => (await server.finished).summary.stateHash);
        assert.equal(replayed, hash, broken("sameBits", `The record of κ, replayed on ${JSON.stringify(replay)}.`));
      }
    });
  });

  it("uses the same κ and has the same bits on any number of workers if κ follows the noise", {
    skip: !ALL,
  }, async () => {
    const task = await small({ microBatchesPerStep: { perNoiseScale: 0.5, max: 10 }, samples: 16 * 400 });
    const runs = [];
    for (const cluster of [{ workers: 1 }, { workers: 3, shards: 2 }]) {
      runs.push(
        await withCluster({ task, ...cluster }, async ({ server, out }) => {
          const { summary } = await server.finished;
          return { hash: summary.stateHash, record: readKappaRecord(out, task.microBatchesPerStep) };
        }),
      );
    }
    assert.ok(runs[0].record.length >= 3, JSON.stringify(runs[0].record));
    assert.deepEqual(runs[1], runs[0], broken("sameBits", "κ follows the noise, on one worker and on three."));
  });
});
