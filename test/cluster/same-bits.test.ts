import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allArms, trainInProcess } from "../../experiment/index.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { loadTask, resolveTask, type Task } from "../../tasks/index.js";
import { broken } from "../promises.test.helper.js";
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

/** The clusters that `npm test` has time for, by κ; `npm run test:all` trains on every cluster. */
const SHARES: Record<number, typeof CLUSTERS> = { 1: CLUSTERS.slice(3), 7: CLUSTERS.slice(1, 3) };
const ARMS = allArms().filter(({ name }) => ALL || ["invariant-exponential", "standard"].includes(name));

type ClusterOf = Omit<Parameters<typeof runCluster>[0], "task">;

const hashOf = async (task: Task, cluster: ClusterOf): Promise<string> =>
  (await runCluster({ task, ...cluster })).summary.stateHash;

/** Trains the task on a cluster, whose stateHash must be the expected one. */
async function hasSameBits(task: Task, cluster: ClusterOf, expected: string): Promise<void> {
  const where = `${task.name} on ${JSON.stringify(cluster)} differs from one process.`;
  assert.equal(await hashOf(task, cluster), expected, broken("sameBits", where));
}

describe("stateHash of a cluster's run", { timeout: 900_000 }, () => {
  for (const kappa of ALL ? [1, 6, 7, 8] : [1, 7]) {
    it(`is the in-process trainer's for mnist at κ = ${kappa}, for any number of workers, threads and shards`, async () => {
      const task = await small("mnist", 6, kappa, 16);
      const expected = (await trainInProcess(task)).stateHash;
      for (const cluster of ALL ? CLUSTERS : SHARES[kappa]) {
        await hasSameBits(task, cluster, expected);
      }
    });
  }

  for (const { name, optimizer } of ARMS) {
    it(`is the in-process trainer's under ${name}, with a moving average in the tail and a last step of fewer`, async () => {
      const task = { ...resolveTask(NORMALISED.name, NORMALISED), optimizer };
      const expected = (await trainInProcess(task)).stateHash;
      await hasSameBits(task, { workers: 2, computeThreads: 1, shards: 2 }, expected);
    });
  }

  it("is the in-process trainer's with bfloat16 on the wire, for any number of workers, threads and shards", async () => {
    const plain = resolveTask(NORMALISED.name, NORMALISED);
    const hashes = new Set([(await trainInProcess(plain)).stateHash]);
    const kappas = ALL ? [1, 3, 7] : [7];
    for (const microBatchesPerStep of kappas) {
      const task: Task = { ...plain, microBatchesPerStep, wire: "bfloat16" };
      const expected = (await trainInProcess(task)).stateHash;
      hashes.add(expected);
      // Leases of one leaf, of a few that stay separate, and of many that are folded.
      for (const cluster of ALL && microBatchesPerStep === 7 ? CLUSTERS.slice(0, 3) : CLUSTERS.slice(1, 2)) {
        await hasSameBits(task, cluster, expected);
      }
    }
    assert.equal(hashes.size, 1 + kappas.length);
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
    for (const i of ALL ? [1, 2] : [2]) await hasSameBits(tasks[i], { workers: 2, shards: 2 }, hashes[i]);
  });

  it("is the in-process trainer's for mnist-cnn", { skip: !ALL }, async () => {
    const task = await small("mnist-cnn", 3, 6, 4);
    const expected = (await trainInProcess(task)).stateHash;
    await hasSameBits(task, { workers: 1, computeThreads: 2, shards: 2 }, expected);
    await hasSameBits(task, { workers: 3, computeThreads: 1, shards: 3 }, expected);
  });

  it("changes when one bit of one gradient does", { skip: !ALL }, async () => {
    const task = await small("mnist", 3, 4, 16);
    const plain = await hashOf(task, { workers: 2 });
    const flipped = await hashOf(task, { workers: 2, flip: { microBatch: 5, element: 669_705 } });
    assert.notEqual(flipped, plain, "the stateHash does not show a flipped bit, and so shows nothing");
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
          assert.equal(lo, next, broken("countedOnce", `The ledger at step ${step}, shard ${shard}.`));
          next = hi;
          if (shard === 0) shares.set(worker, (shares.get(worker) ?? 0) + hi - lo);
        }
        assert.equal(next, kappa, broken("countedOnce", `The ledger at step ${step}, shard ${shard}.`));
      }
    }
    assert.equal(ledger.length, steps * 2, broken("countedOnce", "The ledger has another number of lines."));
    assert.equal(shares.size, 3);
    for (const [worker, share] of shares) {
      assert.ok(share >= (steps * kappa) / 3 / 2, `${worker} has ${share} of ${steps * kappa}`);
    }
  });
});
