import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { IsobatchError } from "../shared/errors.js";
import { createLog } from "../shared/log.js";
import type { Connection, WorkerReport } from "../shared/wire/index.js";
import { type ComputedLease, ThreadDeathError } from "./compute/index.js";
import type { Engine } from "./engine.js";
import { leaseOf } from "./fake-server.test.helper.js";
import type { Samples } from "./samples.js";
import type { ShardLink } from "./shard-link.js";
import { createWorkLoop, type WorkLoop } from "./work-loop.js";

const log = createLog({ level: "silent", pretty: false });

/** A loop over an engine that computes when it is told to, and a shard that answers when it is told to; a refusal is final. */
function open() {
  const reports: WorkerReport[] = [];
  const released: number[] = [];
  const computing: { lo: number; finish: () => void; fail: (error: Error) => void }[] = [];
  let refuseConnection: (error: Error) => void = () => {};
  let grantConnection: (connection: Connection) => void = () => {};
  const link: Pick<ShardLink, "connection" | "name"> = {
    name: "shard 0",
    connection: () =>
      new Promise<Connection>((resolve, reject) => {
        grantConnection = resolve;
        refuseConnection = reject;
      }),
  };
  const engine: Pick<Engine, "compute" | "broken"> & { memory: object } = {
    broken: undefined,
    memory: { releaseSlots: (slots: number[]) => released.push(...slots) },
    compute: ({ lo, hi }) =>
      new Promise((resolve, reject) => {
        const nodes = [{ lo, hi, slot: 10 + lo }];
        const computed: ComputedLease = { nodes, losses: new Float64Array(hi - lo), computeMs: 1, samplesMs: 0 };
        computing.push({ lo, finish: () => resolve(computed), fail: reject });
      }),
  };
  const samples: Samples = {
    microBatch: () => Promise.reject(new Error("not asked for")),
    evaluationBatch: () => Promise.reject(new Error("not asked for")),
    prefetch() {},
    async close() {},
  };
  const loop: WorkLoop = createWorkLoop({
    workerId: "w1",
    seal: Buffer.from("seal"),
    microBatchesTotal: 100,
    engine: engine as Engine,
    samples,
    links: [link as ShardLink],
    report: (report) => reports.push(report),
    // What the threads held before is still in θ: they have it again at once.
    onThreadsRestarted: () => reports.push({ weightsHeld: { epoch: 1, version: 0 } }),
    onFailed: assert.ifError,
    log,
  });
  const add = (step: number, lo: number, hi: number): void => loop.add({ kind: "step", lease: leaseOf(step, lo, hi) });
  return {
    loop,
    add,
    reports,
    released,
    computing,
    refuse: (error: Error) => refuseConnection(error),
    /** To a shard that no push may reach. */
    connect: () => grantConnection({} as Connection),
  };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

describe("createWorkLoop()", { timeout: 20_000 }, () => {
  it("keeps a lease's sums until its push has settled", async () => {
    const { loop, add, reports, released, computing, refuse } = open();
    loop.hold({ epoch: 1, version: 0 });
    add(0, 0, 2);
    computing[0].finish();
    await settle();
    assert.equal(reports.length, 1);
    assert.deepEqual(released, []);
    refuse(new IsobatchError("refused", "Cannot reach shard 0."));
    await settle();
    assert.deepEqual(released, [10]);
    assert.equal(reports[1].leaseFailed?.reason, "Cannot reach shard 0.");
  });

  it("tells that new threads hold nothing before it tells that they hold something again", async () => {
    const { loop, add, reports, computing } = open();
    loop.hold({ epoch: 1, version: 0 });
    add(0, 0, 2);
    computing[0].fail(new ThreadDeathError("Compute thread 0 ended with exit code 1."));
    await settle();
    assert.deepEqual(
      reports.flatMap((report) => Object.keys(report)),
      ["weightsLost", "weightsHeld", "leaseFailed"],
    );
    add(0, 2, 3);
    assert.equal(computing.length, 1, "nothing is begun on threads without weights");
  });

  it("says nothing of a push that fails when its step has gone on without it", async () => {
    const { loop, add, reports, released, computing, refuse } = open();
    loop.hold({ epoch: 1, version: 0 });
    add(0, 0, 2);
    computing[0].finish();
    await settle();
    loop.supersede({ epoch: 1, version: 1 });
    refuse(new IsobatchError("refused", "Cannot reach shard 0."));
    await settle();
    assert.deepEqual(released, [10]);
    assert.deepEqual(
      reports.flatMap((report) => Object.keys(report)),
      ["leaseComputed"],
    );
  });

  it("gives up an older epoch's pushes by whichever comes first, the epoch's weights or the word of it", async () => {
    for (const tell of [
      (loop: WorkLoop) => loop.openEpoch(2),
      (loop: WorkLoop) => loop.supersede({ epoch: 2, version: 0 }),
    ]) {
      const { loop, add, reports, released, computing, connect } = open();
      loop.hold({ epoch: 1, version: 0 });
      add(0, 0, 2);
      computing[0].finish();
      await settle();
      tell(loop);
      connect();
      await settle();
      assert.deepEqual(released, [10]);
      assert.deepEqual(
        reports.flatMap((report) => Object.keys(report)),
        ["leaseComputed"],
      );
    }
  });

  it("begins nothing between two versions", async () => {
    const { loop, add, computing } = open();
    loop.hold({ epoch: 1, version: 0 });
    loop.supersede({ epoch: 1, version: 1 });
    add(1, 0, 1);
    await settle();
    assert.equal(computing.length, 0);
    loop.hold({ epoch: 1, version: 1 });
    assert.deepEqual(
      computing.map(({ lo }) => lo),
      [0],
    );
  });

  it("when it is drained, finishes what it computes and begins nothing that it was given", async () => {
    const { loop, add, reports, computing, refuse } = open();
    loop.hold({ epoch: 1, version: 0 });
    add(0, 0, 1);
    add(0, 1, 2);
    let drained = false;
    const draining = loop.drain().then(() => {
      drained = true;
    });
    computing[0].finish();
    await settle();
    assert.equal(drained, false, "its push has not settled");
    refuse(new IsobatchError("refused", "Cannot reach shard 0."));
    await draining;
    assert.equal(computing.length, 1);
    assert.deepEqual(
      reports.flatMap((report) => Object.keys(report)),
      ["leaseComputed", "leaseFailed"],
    );
  });
});
