import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allArms, trainInProcess } from "../../experiment/index.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { loadTask, resolveTask, type Task } from "../../tasks/index.js";
import { runCluster } from "./run-cluster.test.helper.js";

/** The real model and real images, in so few samples that a run takes seconds. */
const small = (name: string, steps: number, microBatchesPerStep: number, microBatchSize: number): Promise<Task> =>
  loadTask(name, {
    steps,
    microBatchesPerStep,
    microBatchSize,
    evaluationBatchSize: 100,
    dataset: { kind: "mnist", limit: 2_000, testLimit: 300 },
  });

/** Three steps of 7 micro-batches and one of 4: nodes of one leaf and of several, from several workers. */
const NORMALISED = {
  name: "normalised",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 24 },
      { layer: "BatchNormalization", momentum: 0.9 },
      { layer: "Activation", activation: "relu" },
      { layer: "Dropout", rate: 0.25 },
      { layer: "Dense", units: 10 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist", limit: 2_000, testLimit: 100 },
  microBatchSize: 16,
  microBatchesPerStep: 7,
  samples: (3 * 7 + 4) * 16,
  evaluationBatchSize: 100,
  learningRate: 1e-2,
  weightDecay: 0.1,
} as const;

const CLUSTERS = [
  { workers: 1, computeThreads: 1, shards: 1 },
  { workers: 2, computeThreads: 2, shards: 2 },
  { workers: 3, computeThreads: 1, shards: 3 },
  { workers: 5, computeThreads: 1, shards: 1 },
];

const hashOf = async (task: Task, cluster: Omit<Parameters<typeof runCluster>[0], "task">): Promise<string> =>
  (await runCluster({ task, ...cluster })).summary.stateHash;

describe("stateHash of a cluster's run", { timeout: 900_000 }, () => {
  for (const kappa of [1, 6, 7, 8]) {
    it(`is the in-process trainer's for mnist at κ = ${kappa}, whatever the workers, threads and shards`, async () => {
      const task = await small("mnist", 6, kappa, 16);
      const expected = (await trainInProcess(task)).stateHash;
      for (const cluster of ALL || kappa === 7 ? CLUSTERS : CLUSTERS.filter((_, i) => i % 2 === kappa % 2)) {
        assert.equal(await hashOf(task, cluster), expected, JSON.stringify(cluster));
      }
    });
  }

  for (const { name, optimizer } of allArms()) {
    it(`is the in-process trainer's under ${name}, with a moving average in the tail and a last step of fewer`, async () => {
      const task = { ...resolveTask(NORMALISED.name, NORMALISED), optimizer };
      const expected = (await trainInProcess(task)).stateHash;
      assert.equal(await hashOf(task, { workers: 2, computeThreads: 1, shards: 2 }), expected);
    });
  }

  it("is the in-process trainer's with bfloat16 on the wire, whatever the workers, threads and shards", async () => {
    const plain = resolveTask(NORMALISED.name, NORMALISED);
    const hashes = new Set([(await trainInProcess(plain)).stateHash]);
    for (const microBatchesPerStep of [1, 3, 7]) {
      const task: Task = { ...plain, microBatchesPerStep, wire: "bfloat16" };
      const expected = (await trainInProcess(task)).stateHash;
      hashes.add(expected);
      // Leases of one leaf, of a few that stay apart, and of many that are folded.
      for (const cluster of microBatchesPerStep === 7 ? CLUSTERS.slice(0, 3) : CLUSTERS.slice(1, 2)) {
        assert.equal(await hashOf(task, cluster), expected, JSON.stringify(cluster));
      }
    }
    assert.equal(hashes.size, 4);
  });

  it("is the in-process trainer's with products in bfloat16, and with the wire in bfloat16 as well", async () => {
    const plain: Task = { ...resolveTask(NORMALISED.name, NORMALISED), samples: 7 * 16 };
    const tasks = [
      plain,
      { ...plain, precision: "bfloat16" },
      { ...plain, precision: "bfloat16", wire: "bfloat16" },
    ] as const;
    const hashes: string[] = [];
    for (const task of tasks) hashes.push((await trainInProcess(task)).stateHash);
    assert.equal(new Set(hashes).size, 3);
    for (const i of ALL ? [1, 2] : [2]) assert.equal(await hashOf(tasks[i], { workers: 2, shards: 2 }), hashes[i]);
  });

  it("is the in-process trainer's for mnist-cnn", async () => {
    const task = await small("mnist-cnn", 3, 6, 4);
    const expected = (await trainInProcess(task)).stateHash;
    assert.equal(await hashOf(task, { workers: 1, computeThreads: 2, shards: 2 }), expected);
    assert.equal(await hashOf(task, { workers: 3, computeThreads: 1, shards: 3 }), expected);
  });

  it("changes when one bit of one gradient does", async () => {
    const task = await small("mnist", 3, 4, 16);
    const plain = await hashOf(task, { workers: 2 });
    assert.notEqual(await hashOf(task, { workers: 2, flip: { microBatch: 5, element: 669_705 } }), plain);
  });
});

describe("the ledger", { timeout: 300_000 }, () => {
  it("has every micro-batch once, and each of three workers with at least half an even share", async () => {
    const kappa = 6;
    const steps = 10;
    const task = await small("mnist", steps, kappa, 16);
    const { ledger } = await runCluster({ task, workers: 3, shards: 2 });
    const shares = new Map<string, number>();
    for (const { step, shard, merged } of ledger) {
      for (const { ranges } of merged) {
        let next = 0;
        for (const [lo, hi, worker] of ranges) {
          assert.equal(lo, next, `step ${step}, shard ${shard}`);
          next = hi;
          if (shard === 0) shares.set(worker, (shares.get(worker) ?? 0) + hi - lo);
        }
        assert.equal(next, kappa);
      }
    }
    assert.equal(ledger.length, steps * 2);
    assert.equal(shares.size, 3);
    for (const [worker, share] of shares) {
      assert.ok(share >= (steps * kappa) / 3 / 2, `${worker} has ${share} of ${steps * kappa}`);
    }
  });
});
