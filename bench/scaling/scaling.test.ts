import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createQueue } from "../../test/simulation/queue.js";
import { measureCluster } from "./cluster.js";
import { createLink, createThread, send } from "./resources.js";
import { type Costs, type SimulatedCluster, simulateCluster } from "./simulation.js";
import { widthFor } from "./task.js";

describe("what a simulated machine has", () => {
  it("does one thing at a time on a thread", () => {
    const queue = createQueue(1, () => {});
    const thread = createThread(queue);
    const endsMs: number[] = [];
    for (const ms of [5, 2]) thread.use(ms, () => endsMs.push(queue.nowMs));
    queue.after(20, () => thread.use(1, () => endsMs.push(queue.nowMs)));
    queue.run(100, () => false);
    assert.deepEqual([endsMs, thread.busyMs], [[5, 7, 21], 8]);
  });

  it("shares a link among those who send over it, at both ends", () => {
    const queue = createQueue(1, () => {});
    const network = { bytesPerSecond: 1_000, delayMs: 3 };
    const [a, b, c] = [createLink(), createLink(), createLink()];
    const came: [string, number][] = [];
    // 10 ms each: the two of a leave in order; c's meets the second one at b, and comes after it.
    send(queue, network, a, c, 10, () => came.push(["a to c", queue.nowMs]));
    send(queue, network, a, b, 10, () => came.push(["a to b", queue.nowMs]));
    send(queue, network, c, b, 10, () => came.push(["c to b", queue.nowMs]));
    queue.run(100, () => false);
    assert.deepEqual(came, [
      ["a to c", 13],
      ["a to b", 23],
      ["c to b", 33],
    ]);
  });
});

describe("the simulated cluster", () => {
  const free: Costs = { coordinatorPerLease: 0, coordinatorPerReport: 0, shardPerLease: 0, shardPerParameter: 0 };
  const base: SimulatedCluster = {
    ...{ workers: 4, shards: 2, parameters: 1_000_000, microBatches: 1, computeMs: 0, steps: 3 },
    network: { bytesPerSecond: 1e15, delayMs: 0 },
  };
  const near = (seen: number, expected: number, share: number): void =>
    assert.ok(Math.abs(seen - expected) <= share * expected, `${seen} instead of ${expected}`);

  it("takes as long as computing where nothing else takes time", () => {
    const { msPerStep, computing } = simulateCluster({ ...base, microBatches: 3, computeMs: 50 }, free);
    near(msPerStep, 150, 1e-3);
    near(computing, 1, 1e-3);
  });

  it("takes as long as the coordinator where leases and reports take it", () => {
    // Four leases of 2 ms. Each of two shards reports four leaves, superseded and committed; none crosses its own link.
    const { msPerStep, reportsPerStep } = simulateCluster(base, {
      ...free,
      coordinatorPerLease: 2,
      coordinatorPerReport: 1,
    });
    assert.ok(msPerStep >= 4 * 2 + reportsPerStep * 0.5 && msPerStep <= 4 * 2 + reportsPerStep + 1, `${msPerStep}`);
    assert.ok(reportsPerStep >= 2 * (4 + 1) && reportsPerStep <= 2 * (4 + 2), `${reportsPerStep}`);
  });

  it("takes as long as the links of shards where bytes take the time: in, out, and half of both at once", () => {
    // Each shard receives 4 × 2 MB and sends as much: 8 ms each way at 1 GB/s. Chunks of a slice overlap both ways.
    const { msPerStep, busiestLink } = simulateCluster(
      { ...base, steps: 20, network: { bytesPerSecond: 1e9, delayMs: 0 } },
      free,
    );
    assert.ok(msPerStep >= 8 && msPerStep <= 16.1, `${msPerStep}`);
    // When counting starts and ends, a chunk may be in flight.
    near(busiestLink * msPerStep, 8, 0.02);
  });

  it("divides the work among shards: twice as many take half as long, and twice the parameters twice as long", () => {
    const costs = { ...free, shardPerParameter: 1e-5 };
    const of = (changed: Partial<SimulatedCluster>): number =>
      simulateCluster({ ...base, ...changed }, costs).msPerStep;
    near(of({ shards: 4 }), of({}) / 2, 0.1);
    near(of({ parameters: 2_000_000 }), 2 * of({}), 0.01);
  });

  it("is the same each time, except for the real time that the core took", () => {
    const costs = { coordinatorPerLease: 0.5, coordinatorPerReport: 0.1, shardPerLease: 0.2, shardPerParameter: 1e-6 };
    const [first, second] = [1, 2].map(() => {
      const { coreMsPerLease, ...others } = simulateCluster({ ...base, workers: 9, computeMs: 7 }, costs);
      return others;
    });
    assert.deepEqual(first, second);
  });
});

describe("the cluster of null workers", { timeout: 120_000 }, () => {
  it("has models of about the number of parameters that is wanted", () => {
    for (const wanted of [100_000, 10_000_000]) {
      const width = widthFor(wanted);
      const parameters = 100 * width + (width + 1) * width + (width + 1) * 10;
      assert.ok(Math.abs(parameters - wanted) < 0.01 * wanted, `${parameters} instead of ${wanted}`);
    }
  });

  it("takes steps in which every worker has a lease, and reports what its processes used", async () => {
    const measured = await measureCluster({ parameters: 1_000, workers: 2, shards: 1, warmUpSteps: 1, steps: 6 });
    const { parameters, steps, leasesPerStep, coordinatorMsPerLease, workersMsPerLease, serverBytes } = measured;
    assert.equal(parameters, 1_000);
    // Workers and servers are read at different moments, so the leases of one step more or less may be counted.
    assert.ok(steps >= 6 && leasesPerStep >= 1 && leasesPerStep <= 3, JSON.stringify(measured));
    assert.ok(coordinatorMsPerLease > 0 && workersMsPerLease > 0 && serverBytes[0] > 1e7, JSON.stringify(measured));
  });
});
