import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { IsobatchError } from "../shared/errors.js";
import { version } from "../shared/version.js";
import { createSampleOrder, openData } from "../tasks/index.js";
import { leaseOf } from "./fake-server.test.helper.js";
import { startWorker } from "./index.js";
import {
  BACKEND,
  computedBy,
  heldBy,
  optionsFor,
  poolAtStart,
  pushedTo,
  serve,
  work,
  workAtStart,
} from "./worker-at-work.test.helper.js";

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

  it("refuses an unknown backend, and thread counts that make no sense", async () => {
    const nowhere = { address: { host: "127.0.0.1", port: 1 } };
    await assert.rejects(startWorker(optionsFor(nowhere, { backend: "abacus" })), { code: "invalid_input" });
    await assert.rejects(startWorker(optionsFor(nowhere, { computeThreads: 0 })), {
      code: "invalid_input",
      message: "--compute-threads is 0; allowed are 1 to 256.",
    });
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
    server.command({ evaluation: { term: 1, version: 0, firstBatch: 0, endBatch: 1 } });
    await server.until(() => pushedTo(server, 0).length === 2, "the lease is pushed");
    await server.until(() => server.heard.reports.some(({ evaluated }) => evaluated), "the evaluation is reported");

    const { order, read } = {
      order: createSampleOrder({ ...server.task, samples: data.train.samples }),
      ...data.train,
    };
    const pool = await poolAtStart(test, server, form);
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

describe("a worker's life", { timeout: 180_000 }, () => {
  it("continues under a new id when its stream breaks, and drops what it had before", async (test) => {
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

  it("asks for no sample twice when its stream breaks, and for all of them when it is another run's", async (test) => {
    const server = await serve(test);
    await workAtStart(test, server);
    const evaluations = () => server.heard.reports.filter(({ evaluated }) => evaluated).length;
    const evaluate = async (attachment: number) => {
      await server.until(() => heldBy(server).length === attachment, `attachment ${attachment} holds weights`);
      server.command({ evaluation: { term: 1, version: 0, firstBatch: 0, endBatch: 3 } });
      await server.until(() => evaluations() === attachment, `evaluation ${attachment}`);
      return server.heard.fetches.length;
    };
    assert.equal(await evaluate(1), 1);
    server.dropWorkers();
    assert.equal(await evaluate(2), 1);
    server.behaviour.join = (response) => ({ ...response, runId: "run-2" });
    server.dropWorkers();
    assert.equal(await evaluate(3), 2);
    assert.deepEqual(
      server.heard.fetches.map(({ first, count }) => [first, count]),
      [
        [0, 3],
        [0, 3],
      ],
    );
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

  it("ends with the run that ended while it was away, as the others did", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server);
    server.behaviour.join = (response) => ({ ...response, ended: { ok: true, reason: "the run has ended" } });
    server.dropWorkers();
    assert.deepEqual(await worker.finished, { reason: "run ended", ok: true, message: "the run has ended" });
  });

  it("ends with what the server said last when it is put off for as long as it waits", async (test) => {
    const server = await serve(test);
    server.behaviour.join = () => {
      throw new IsobatchError("unavailable", "The run has failed: no memory.");
    };
    await assert.rejects(startWorker(optionsFor(server, { connectWaitMs: 1_500 })), {
      code: "unavailable",
      message: "The run has failed: no memory.",
    });
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
    server.command({ drain: { reason: "" } });
    server.command({ lease: leaseOf(0, 2, 4) });
    await server.until(() => server.heard.reports.some(({ leaving }) => leaving), "it says that it leaves");
    const beats = server.heard.heartbeats;
    await server.until(() => server.heard.heartbeats > beats + 1, "it stays while it pushes");
    release();
    assert.deepEqual(await worker.finished, { reason: "left", ok: true, message: "the server asked for it" });
    assert.equal(pushedTo(server, 0).length, 2);
    assert.deepEqual(computedBy(server), [0]);
  });

  it("is not well when it is sent away for a reason", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server);
    server.command({ drain: { reason: "it failed 5 times in a row: no memory." } });
    const message = "it failed 5 times in a row: no memory.";
    assert.deepEqual(await worker.finished, { reason: "sent away", ok: false, message });
  });

  it("reports to the server why it can't start, and why its answer can't be used", async (test) => {
    const server = await serve(test);
    const failed = () => server.heard.reports.flatMap((report) => report.failed ?? []);
    for (const [wrong, expected] of [
      [{ topologyJson: '{"class_name": "Nothing"}' }, /Nothing|topology|layer/],
      [{ heartbeatMs: 5 }, /^The server's answer to Join can't be used: a heartbeat every 5 ms/],
    ] as const) {
      server.heard.reports.length = 0;
      server.behaviour.join = (response) => ({ ...response, ...wrong });
      await assert.rejects(startWorker(optionsFor(server)));
      assert.deepEqual(server.heard.reports[0].attach?.workerId, `worker-${server.heard.joins.length}`);
      const [{ reason, transient }] = failed();
      assert.match(reason, expected);
      assert.equal(transient, false);
    }
  });

  it("ends at once when it is stopped, and when it has to leave while the server is away", async (test) => {
    const server = await serve(test);
    const [stopped, leaving] = await Promise.all([work(test, server), work(test, server, { reconnectWaitMs: 60_000 })]);
    await stopped.stop();
    assert.deepEqual(await stopped.finished, { reason: "stopped", ok: true });
    await server.close();
    await leaving.leave("SIGTERM");
    assert.deepEqual(await leaving.finished, { reason: "left", ok: true, message: "SIGTERM" });
  });
});
