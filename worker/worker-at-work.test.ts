import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchOf } from "../compute/gradients/open-gradients.test.helper.js";
import { IsobatchError } from "../shared/errors.js";
import { checksumFor } from "../shared/wire/index.js";
import { type FakeServer, leaseOf } from "./fake-server.test.helper.js";
import {
  computedBy,
  failedBy,
  heldBy,
  poolAtStart,
  pushedTo,
  serve,
  work,
  workAtStart,
} from "./worker-at-work.test.helper.js";

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
      { term: 1, version: 1 },
      { term: 1, version: 2 },
    ]);
  });

  it("are void with their term, chunk by chunk", async (test) => {
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
    await server.until(() => heldBy(server).length === 2, "the new term's weights are held");
    assert.deepEqual(heldBy(server)[1], { term: 2, version: 0 });
  });

  it("are asked for again when a chunk comes damaged", async (test) => {
    const server = await serve(test);
    let damage = 1;
    server.behaviour.chunk = (chunk) =>
      chunk.chunk === 0 && damage-- > 0 ? { ...chunk, checksum: Buffer.alloc(8) } : chunk;
    await workAtStart(test, server);
    assert.deepEqual(heldBy(server), [{ term: 1, version: 0 }]);
    assert.deepEqual([...server.heard.watches].sort(), [0, 0, 1]);
  });
});

describe("a worker's leases", { timeout: 180_000 }, () => {
  it("are pushed to every shard as their canonical nodes, bit for bit what the threads computed", async (test) => {
    const server = await serve(test);
    await workAtStart(test, server, { computeThreads: 2 });
    const lease = leaseOf(0, 1, 4);
    server.command({ lease });
    await server.until(() => pushedTo(server, lease.lease).length === 2, "both shards have the push");

    const pool = await poolAtStart(test, server);
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
      assert.deepEqual([header.workerId, header.term, header.step], ["worker-1", 1, 0]);
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
          return { lo, hi, chunk: chunk.index, sums, checksum: checksumFor({ encrypted: false }, parts) };
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
    await server.until(() => failedBy(server).length === 1, "the refusal is reported");
    const [failure] = failedBy(server);
    assert.equal(failure.reason, "The push is refused: step 0 is not open.");
    assert.deepEqual([failure.lease, failure.nonFinite], [0, false]);
  });

  it("are pushed again when a connection breaks, and fail when it breaks each time", async (test) => {
    const server = await serve(test);
    let breaks = 2;
    server.behaviour.push = async ({ lease }) => {
      if (lease === 1 || breaks-- > 0) throw new IsobatchError("unavailable", "The line is dead.");
    };
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 1) });
    await server.until(() => pushedTo(server, 0).length === 2, "the lease is pushed");
    assert.deepEqual(failedBy(server), []);
    server.command({ lease: leaseOf(0, 1, 2) });
    await server.until(() => failedBy(server).length === 1, "the other lease has failed");
    const { lease, reason, transient } = failedBy(server)[0];
    assert.deepEqual([lease, reason, transient], [1, "The line is dead.", true]);
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

  it("of an older term are given up silently, also in mid-push", async (test) => {
    const server = await serve(test);
    server.behaviour.push = ({ term }) => (term === 1 ? new Promise(() => {}) : Promise.resolve());
    await workAtStart(test, server);
    server.command({ lease: leaseOf(0, 0, 4) });
    await server.until(() => server.heard.pushes.length === 2, "the first lease is being pushed");
    server.command({ term: { term: 2, version: 0 } });
    server.publish(2, 0);
    server.command({ lease: leaseOf(0, 0, 4, 2) });
    await server.until(() => pushedTo(server, 0).length === 2, "the new term's lease is pushed");
    await server.until(
      () => server.heard.pushes.filter(({ complete, cancelled }) => cancelled && !complete).length === 2,
      "the old term's push is given up",
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
    const failed = server.heard.reports.flatMap((report) => report.failed ?? []);
    assert.equal(failed.length, 1);
    assert.match(failed[0].reason, /died twice in a row/);
  });
});

describe("a worker's evaluations", { timeout: 60_000 }, () => {
  it("are the threads' own, batch by batch", async (test) => {
    const server = await serve(test);
    await workAtStart(test, server);
    server.command({ evaluation: { term: 1, version: 0, firstBatch: 1, endBatch: 4 } });
    const results = () => server.heard.reports.flatMap(({ evaluated }) => evaluated ?? []);
    await server.until(() => results().length === 1, "the evaluation is reported");
    const pool = await poolAtStart(test, server);
    const { lossSums, correct } = await pool.evaluate(1, 4, async (number) => batchOf(number));
    assert.deepEqual(results(), [
      {
        term: 1,
        version: 0,
        firstBatch: 1,
        lossSums: [...lossSums],
        correct: [...correct],
        failed: "",
        transient: false,
      },
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
    assert.match(reason, /^Micro-batch 2 came damaged: its checksum is /);
    assert.equal(nonFinite, false);
  });
});
