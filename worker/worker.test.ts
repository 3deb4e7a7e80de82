import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { IsobatchError } from "../shared/errors.js";
import { createLog } from "../shared/log.js";
import { version } from "../shared/version.js";
import { crc32 } from "../shared/wire/index.js";
import { createSampleOrder, openData } from "../tasks/index.js";
import { type ComputePool, createComputePool, createWorkerMemory } from "./compute/index.js";
import { batchOf } from "./compute/open-gradients.test.helper.js";
import { type FakeServer, leaseOf, startFakeServer } from "./fake-server.test.helper.js";
import { type RunningWorker, startWorker, type WorkerOptions } from "./index.js";

const BACKEND = "cpu";
const log = createLog({ level: process.env.LOG ?? "silent", pretty: false });

function optionsFor(server: Pick<FakeServer, "address">, options: Partial<WorkerOptions> = {}): WorkerOptions {
  const { address } = server;
  return {
    address,
    backend: BACKEND,
    computeThreads: 1,
    connectWaitMs: 5_000,
    reconnectWaitMs: 5_000,
    log,
    ...options,
  };
}

async function serve(test: TestContext, fields?: Record<string, unknown>): Promise<FakeServer> {
  const server = await startFakeServer(fields);
  test.after(() => server.close());
  return server;
}

async function work(test: TestContext, server: FakeServer, options?: Partial<WorkerOptions>): Promise<RunningWorker> {
  const worker = await startWorker(optionsFor(server, options));
  test.after(() => worker.stop());
  return worker;
}

/** Attached, and holding version 0 of epoch 1. */
async function workAtStart(test: TestContext, server: FakeServer, options?: Partial<WorkerOptions>) {
  const worker = await work(test, server, options);
  server.command({ epoch: { epoch: 1, version: 0 } });
  server.publish(1, 0);
  await server.until(() => heldBy(server).length === 1, "the first weights are held");
  return worker;
}

const heldBy = ({ heard }: FakeServer): unknown[] => heard.reports.flatMap(({ weightsHeld }) => weightsHeld ?? []);
const computedBy = ({ heard }: FakeServer): number[] =>
  heard.reports.flatMap(({ leaseComputed }) => (leaseComputed ? [leaseComputed.lease] : []));
const failedBy = ({ heard }: FakeServer) => heard.reports.flatMap(({ leaseFailed }) => leaseFailed ?? []);
const pushedTo = ({ heard }: FakeServer, lease: number) =>
  heard.pushes.filter((push) => push.complete && push.lease.lease === lease);

/** Threads that are no worker's, to compute what a worker should. */
const pools: ComputePool[] = [];
after(() => Promise.all(pools.map((pool) => pool.close())));
async function poolWith(server: FakeServer, step: number, form = server.join.form): Promise<ComputePool> {
  const { layout } = server;
  const memory = createWorkerMemory({ layout, threads: 1, leaves: 4 });
  const pool = await createComputePool({ threads: 1, backend: BACKEND, join: { ...server.join, form }, memory });
  pools.push(pool);
  const theta = new Uint8Array(server.weights(step).buffer);
  for (const chunk of layout.chunks)
    memory.weights(chunk).set(theta.subarray(chunk.offset * 4, (chunk.offset + chunk.length) * 4));
  await pool.load();
  return pool;
}

describe("startWorker()", { timeout: 60_000 }, () => {
  it("says what it is, and fails with the server's sentence when it is refused", async (test) => {
    const server = await serve(test);
    const sentence = "The worker is Isobatch 0.0.1, the server is 7.0.0; install the same on both.";
    server.behaviour.join = () => {
      throw new IsobatchError("refused", sentence);
    };
    await assert.rejects(startWorker(optionsFor(server)), {
      name: "IsobatchError",
      code: "refused",
      message: sentence,
    });
    const [request] = server.heard.joins;
    assert.equal(request.version, version);
    assert.deepEqual([request.numerics?.backend, request.numerics?.architecture], [BACKEND, process.arch]);
    assert.deepEqual([request.processId, request.computeThreads, request.runId], [process.pid, 1, ""]);
  });

  it("fails with the reason when nobody listens, after the time it was given", async (test) => {
    const server = await serve(test);
    await server.close();
    await assert.rejects(startWorker(optionsFor(server, { connectWaitMs: 300 })), (error: unknown) => {
      assert.ok(error instanceof IsobatchError && error.code === "unavailable");
      assert.match(error.message, /^Cannot reach 127\.0\.0\.1:\d+: nothing listens there/);
      return true;
    });
  });

  it("refuses a backend that there is none of, and thread counts without sense", async () => {
    const nowhere = { address: { host: "127.0.0.1", port: 1 } };
    await assert.rejects(startWorker(optionsFor(nowhere, { backend: "abacus" })), { code: "invalid_input" });
    await assert.rejects(startWorker(optionsFor(nowhere, { computeThreads: 0 })), {
      code: "invalid_input",
      message: "--compute-threads is 0; allowed are 1 to 256.",
    });
  });
});

describe("a worker's weights", { timeout: 60_000 }, () => {
  it("are held once all chunks are of one version, never as a mixture of two", async (test) => {
    const server = await serve(test);
    const { chunks } = server.layout;
    await work(test, server);
    server.publish(
      1,
      0,
      chunks.slice(1).map(({ index }) => index),
    );
    server.publish(1, 1);
    await server.until(() => heldBy(server).length > 0, "weights are held");
    server.publish(1, 2);
    await server.until(() => heldBy(server).length > 1, "the next are held");
    assert.deepEqual(heldBy(server), [
      { epoch: 1, version: 1 },
      { epoch: 1, version: 2 },
    ]);
  });

  it("are void with their epoch, chunk by chunk", async (test) => {
    const server = await serve(test);
    const { chunks } = server.layout;
    await workAtStart(test, server);
    server.publish(
      2,
      0,
      chunks.slice(1).map(({ index }) => index),
    );
    server.publish(1, 0, [0]);
    server.publish(2, 0, [0]);
    await server.until(() => heldBy(server).length === 2, "the new epoch's weights are held");
    assert.deepEqual(heldBy(server)[1], { epoch: 2, version: 0 });
  });

  it("are asked for again when a chunk comes damaged", async (test) => {
    const server = await serve(test);
    let damage = 1;
    server.behaviour.chunk = (chunk) => (chunk.chunk === 0 && damage-- > 0 ? { ...chunk, crc32: 1 } : chunk);
    await workAtStart(test, server);
    assert.deepEqual(heldBy(server), [{ epoch: 1, version: 0 }]);
    assert.deepEqual([...server.heard.watches].sort(), [0, 0, 1]);
  });
});

describe("a worker's leases", { timeout: 60_000 }, () => {
  it("are pushed to every shard as their canonical nodes, bit for bit what the threads computed", async (test) => {
    const server = await serve(test);
    await workAtStart(test, server, { computeThreads: 2 });
    const lease = leaseOf(0, 1, 4);
    server.command({ lease });
    await server.until(() => pushedTo(server, lease.lease).length === 2, "both shards have the push");

    const pool = await poolWith(server, 0);
    const { nodes, losses } = await pool.compute(lease, async (number) => batchOf(number));
    assert.deepEqual(
      nodes.map(({ lo, hi }) => [lo, hi]),
      [
        [1, 2],
        [2, 4],
      ],
    );
    const kinds = new Set<string>();
    for (const { shard, lease: header, chunks } of pushedTo(server, lease.lease)) {
      assert.deepEqual(header.losses, [...losses]);
      assert.deepEqual([header.workerId, header.epoch, header.step], ["worker-1", 1, 0]);
      assert.deepEqual(header.mac, lease.mac);
      const half = server.layout.chunks.length / 2;
      const own = server.layout.chunks.filter(
        ({ index, kind }) => index < Math.floor(half) === (shard === 0) && kind !== "frozen",
      );
      const expected = nodes.flatMap(({ lo, hi, slot }) =>
        own.map((chunk) => {
          kinds.add(chunk.kind);
          const parts = [pool.memory.sums(slot, "s1", chunk)];
          if (hi - lo > 1 && chunk.kind === "parameter") parts.push(pool.memory.sums(slot, "s2", chunk));
          const sums = Buffer.concat(parts);
          return { lo, hi, chunk: chunk.index, crc32: crc32(sums), sums };
        }),
      );
      assert.deepEqual(chunks, expected);
    }
    assert.deepEqual([...kinds].sort(), ["parameter", "tail"]);
  });

  it("wait for their weights, and are void when newer ones are there", async (test) => {
    const server = await serve(test);
    await workAtStart(test, server);
    for (const lease of [leaseOf(2, 0, 1), leaseOf(1, 0, 1), leaseOf(1, 1, 3)]) server.command({ lease });
    server.publish(1, 1);
    await server.until(() => computedBy(server).length === 2, "both leases of step 1 are computed");
    server.command({ lease: leaseOf(0, 0, 1) });
    server.publish(1, 2);
    await server.until(() => computedBy(server).length === 3, "the lease of step 2 is computed");
    assert.deepEqual(computedBy(server), [100, 101, 200]);
  });

  it("say which micro-batch is not finite, and push nothing of it", async (test) => {
    const server = await serve(test);
    server.behaviour.samples = (number) => {
      const batch = batchOf(number);
      if (number === 2) new Float32Array(batch.inputs.buffer)[0] = Number.NaN;
      return batch;
    };
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 4) });
    await server.until(() => failedBy(server).length === 1, "the failure is reported");
    const [{ lease, microBatch, nonFinite, reason }] = failedBy(server);
    assert.deepEqual({ lease, microBatch, nonFinite }, { lease: 0, microBatch: 2, nonFinite: true });
    assert.match(reason, /micro-batch 2/);
    assert.equal(server.heard.pushes.length, 0);
  });

  it("fail with the shard's reason when a push is refused, and the next one is computed", async (test) => {
    const server = await serve(test);
    let refusals = 1;
    server.behaviour.push = async () => {
      if (refusals-- > 0) throw new IsobatchError("refused", "The push is refused: step 0 is not open.");
    };
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 1) });
    server.command({ lease: leaseOf(0, 1, 2) });
    await server.until(() => pushedTo(server, 1).length === 2, "the other lease is pushed");
    const [failure] = failedBy(server);
    assert.equal(failure.reason, "The push is refused: step 0 is not open.");
    assert.deepEqual([failure.lease, failure.nonFinite], [0, false]);
  });

  it("give their room in memory back, whether their push went well or not", async (test) => {
    const server = await serve(test);
    server.behaviour.push = async ({ lease }) => {
      if (lease === 0) throw new IsobatchError("refused", "The push is refused.");
    };
    await workAtStart(test, server);
    // There is room for ten sums; each lease takes two.
    for (let round = 0; round < 6; round++) {
      server.command({ lease: leaseOf(0, 0, 3) });
      server.command({ lease: leaseOf(0, 1, 4) });
    }
    await server.until(() => computedBy(server).length === 12, "all twelve leases are computed");
    await server.until(() => failedBy(server).length === 6, "every push of the one has failed");
  });

  it("are given up in the middle when newer weights are there", async (test) => {
    const server = await serve(test);
    server.behaviour.fetch = ({ first }) => (first < 4 ? new Promise(() => {}) : Promise.resolve({ damaged: false }));
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 4) });
    await server.until(() => server.heard.fetches.length > 0, "the lease waits for its samples");
    server.publish(1, 1);
    server.command({ lease: leaseOf(1, 0, 4) });
    await server.until(() => computedBy(server).length === 1, "the next step's lease is computed");
    assert.deepEqual([computedBy(server), failedBy(server)], [[100], []]);
  });

  it("are computed while the one before is pushed", async (test) => {
    const server = await serve(test);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.behaviour.push = ({ lease }) => (lease === 0 ? held : Promise.resolve());
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 2) });
    server.command({ lease: leaseOf(0, 2, 4) });
    await server.until(() => pushedTo(server, 2).length === 2, "the second lease is pushed while the first is not");
    assert.equal(pushedTo(server, 0).length, 0);
    release();
    await server.until(() => pushedTo(server, 0).length === 2, "the first is pushed too");
  });

  it("of an older epoch are given up, also in mid-push, without a word", async (test) => {
    const server = await serve(test);
    server.behaviour.push = ({ epoch }) => (epoch === 1 ? new Promise(() => {}) : Promise.resolve());
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 4) });
    await server.until(() => server.heard.pushes.length === 2, "the first lease is being pushed");
    server.command({ epoch: { epoch: 2, version: 0 } });
    server.publish(2, 0);
    server.command({ lease: leaseOf(0, 0, 4, 2) });
    await server.until(() => pushedTo(server, 0).length === 2, "the new epoch's lease is pushed");
    await server.until(
      () => server.heard.pushes.filter(({ complete, cancelled }) => cancelled && !complete).length === 2,
      "the old epoch's push is given up",
    );
    assert.deepEqual(failedBy(server), []);
  });

  it("survive the death of a compute thread once, and its second death ends the worker", async (test) => {
    const server = await serve(test);
    const threads: { terminate(): Promise<number> }[] = [];
    const collect = (thread: { terminate(): Promise<number> }) => void threads.push(thread);
    process.on("worker", collect);
    test.after(() => process.off("worker", collect));
    const worker = await workAtStart(test, server);
    await threads.at(-1)!.terminate();
    server.command({ lease: leaseOf(0, 0, 4) });
    await server.until(() => failedBy(server).length === 1, "the lease has failed");
    await server.until(() => heldBy(server).length === 2, "the new thread holds the weights");
    await threads.at(-1)!.terminate();
    server.command({ lease: leaseOf(0, 0, 4) });
    await assert.rejects(worker.finished, { code: "exhausted", message: /died twice in a row/ });
  });
});

describe("a worker's evaluations", { timeout: 60_000 }, () => {
  it("are the threads' own, batch by batch", async (test) => {
    const server = await serve(test);
    await workAtStart(test, server);
    server.command({ evaluation: { epoch: 1, version: 0, firstBatch: 1, endBatch: 4 } });
    const results = () => server.heard.reports.flatMap(({ evaluated }) => evaluated ?? []);
    await server.until(() => results().length === 1, "the evaluation is reported");
    const pool = await poolWith(server, 0);
    const { lossSums, correct } = await pool.evaluate(1, 4, async (number) => batchOf(number));
    assert.deepEqual(results(), [
      { epoch: 1, version: 0, firstBatch: 1, lossSums: [...lossSums], correct: [...correct], failed: "" },
    ]);
  });
});

describe("a worker's samples", { timeout: 60_000 }, () => {
  const asked = ({ heard }: FakeServer) => heard.fetches.map(({ first, count }) => [first, count]);

  it("come in one call a lease, and the next step's are there before they are needed", async (test) => {
    const server = await serve(test);
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 1, 4) });
    await server.until(() => asked(server).length === 2, "the next step's samples are fetched");
    server.publish(1, 1);
    server.command({ lease: leaseOf(1, 1, 4) });
    await server.until(() => computedBy(server).length === 2, "both leases are computed");
    assert.deepEqual(asked(server).slice(0, 2), [
      [1, 3],
      [5, 3],
    ]);
    assert.ok(server.heard.fetches.every(({ workerId }) => workerId === "worker-1"));
  });

  it("that stay damaged fail the lease, with the reason", async (test) => {
    const server = await serve(test);
    server.behaviour.fetch = async () => ({ damaged: true });
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 2, 4) });
    await server.until(() => failedBy(server).length === 1, "the lease has failed");
    const [{ reason, nonFinite }] = failedBy(server);
    assert.deepEqual([reason, nonFinite], ["Micro-batch 2 came damaged.", false]);
  });
});

describe("a worker with the data at hand", { timeout: 60_000 }, () => {
  const dataset = {
    kind: "csv",
    file: "/of-the-server/flowers.csv",
    label: "kind",
    target: "classes",
    testFraction: 0.5,
  };

  async function copyOfData(test: TestContext): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "isobatch-worker-"));
    test.after(() => rm(folder, { recursive: true }));
    const rows = Array.from({ length: 32 }, (_, i) => [i, i * i, 7 - i, 1, ["rose", "tulip", "daisy"][i % 3]].join());
    await writeFile(join(folder, "flowers.csv"), ["a,b,c,d,kind", ...rows].join("\n"));
    return folder;
  }

  it("reads every sample there, the ones that the server would send", async (test) => {
    const server = await serve(test, { dataset });
    const dataFolder = await copyOfData(test);
    const data = await openData(server.task, { folder: dataFolder });
    const form = { input: data.train.input, label: data.train.label };
    server.behaviour.join = (response) => ({
      ...response,
      datasetFingerprint: data.fingerprint,
      sampleFormJson: JSON.stringify(form),
    });
    await workAtStart(test, server, { dataFolder });
    server.command({ lease: leaseOf(0, 0, 1) });
    server.command({ evaluation: { epoch: 1, version: 0, firstBatch: 0, endBatch: 1 } });
    await server.until(() => pushedTo(server, 0).length === 2, "the lease is pushed");
    await server.until(() => server.heard.reports.some(({ evaluated }) => evaluated), "the evaluation is reported");

    const { order, read } = {
      order: createSampleOrder({ ...server.task, samples: data.train.samples }),
      ...data.train,
    };
    const pool = await poolWith(server, 0, form);
    const { losses } = await pool.compute(leaseOf(0, 0, 1), async (n) => ({ samples: 8, ...read(order.samplesOf(n)) }));
    assert.deepEqual(pushedTo(server, 0)[0].lease.losses, [...losses]);
    assert.equal(server.heard.reports.find(({ evaluated }) => evaluated)?.evaluated?.failed, "");
    assert.deepEqual(server.heard.fetches, []);
  });

  it("refuses data that is not the run's, naming both fingerprints", async (test) => {
    const server = await serve(test, { dataset });
    const dataFolder = await copyOfData(test);
    const { fingerprint } = await openData(server.task, { folder: dataFolder });
    await assert.rejects(startWorker(optionsFor(server, { dataFolder })), (error: unknown) => {
      assert.ok(error instanceof IsobatchError && error.code === "refused");
      for (const part of [fingerprint.slice(0, 12), "f".repeat(12), dataFolder])
        assert.ok(error.message.includes(part));
      return true;
    });
  });
});

describe("a worker's life", { timeout: 60_000 }, () => {
  it("goes on under a new name when its stream breaks, with what it had before void", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server);
    assert.equal(worker.workerId, "worker-1");
    server.command({ lease: leaseOf(5, 0, 4) });
    server.dropWorkers();
    await server.until(() => heldBy(server).length === 2, "it has come back and holds weights");
    assert.equal(worker.workerId, "worker-2");
    assert.equal(server.heard.joins[1].runId, "run-1");
    server.command({ lease: leaseOf(0, 0, 4) });
    await server.until(() => pushedTo(server, 0).length === 2, "it works");
    assert.deepEqual(computedBy(server), [0]);
    assert.ok(server.heard.heartbeats > 0);
  });

  it("ends when the server stays away for too long, with the reason", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server, { reconnectWaitMs: 300 });
    await server.close();
    await assert.rejects(worker.finished, { name: "IsobatchError", code: "unavailable" });
  });

  it("ends when the server takes it back and drops it, again and again", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server, { reconnectWaitMs: 300 });
    server.behaviour.work = "drop";
    server.dropWorkers();
    await assert.rejects(worker.finished, { code: "unavailable", message: /^The worker's stream to the server/ });
    assert.ok(server.heard.joins.length > 2);
  });

  it("ends when the server refuses to take it back", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server);
    server.behaviour.join = () => {
      throw new IsobatchError("refused", "The run has ended.");
    };
    server.dropWorkers();
    await assert.rejects(worker.finished, { code: "refused", message: "The run has ended." });
  });

  it("ends with the run, with the run's own words", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server);
    server.command({ ended: { ok: false, reason: "the disk is full" } });
    assert.deepEqual(await worker.finished, { reason: "run ended", ok: false, message: "the disk is full" });
  });

  it("finishes and pushes what it computes when it is drained, and takes nothing more", async (test) => {
    const server = await serve(test);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.behaviour.push = () => held;
    const worker = await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 2) });
    await server.until(() => server.heard.pushes.length === 2, "the push is under way");
    server.command({ drain: {} });
    server.command({ lease: leaseOf(0, 2, 4) });
    await server.until(() => server.heard.reports.some(({ leaving }) => leaving), "it says that it leaves");
    const beats = server.heard.heartbeats;
    await server.until(() => server.heard.heartbeats > beats + 1, "it stays while it pushes");
    release();
    assert.deepEqual(await worker.finished, { reason: "left", ok: true, message: "the server asked for it" });
    assert.equal(pushedTo(server, 0).length, 2);
    assert.deepEqual(computedBy(server), [0]);
  });

  it("ends at once when it is stopped, and when it is told to leave while the server is away", async (test) => {
    const server = await serve(test);
    const [stopped, leaving] = await Promise.all([work(test, server), work(test, server, { reconnectWaitMs: 60_000 })]);
    await stopped.stop();
    assert.deepEqual(await stopped.finished, { reason: "stopped", ok: true });
    await server.close();
    await leaving.leave("SIGTERM");
    assert.deepEqual(await leaving.finished, { reason: "left", ok: true, message: "SIGTERM" });
  });
});
