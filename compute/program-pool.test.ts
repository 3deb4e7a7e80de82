import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, it } from "node:test";
import { settings } from "../backends/settings.test.helper.js";
import { batchOf, FORM, openGradients, TASK } from "./gradients/open-gradients.test.helper.js";
import { LAYERS, noSums as skip } from "./gradients/summing-programs.test.helper.js";
import { createWorkerMemory } from "./memory.js";
import { type ComputePool, createComputePool } from "./pool.js";

const backend = "tfjs-node";

const pools: ComputePool[] = [];
after(() => Promise.all(pools.map((pool) => pool.close())));

const model = await openGradients({ layers: LAYERS });
const { layout, topology } = model;
model.gradients.dispose();

/** Threads that hold the model's initial weights. */
async function openPool(foldOn: "host" | "program", threads: number): Promise<ComputePool> {
  const memory = createWorkerMemory({ layout, threads, leaves: 16 });
  const join = { task: TASK, topology, form: FORM };
  const pool = await createComputePool({ threads, backendSettings: settings, backend, join, memory, foldOn });
  pools.push(pool);
  const bytes = Buffer.from(model.initialWeights.buffer);
  for (const chunk of layout.chunks) {
    memory.weights(chunk).set(bytes.subarray(chunk.offset * 4).subarray(0, chunk.length * 4));
  }
  await pool.load();
  return pool;
}

const leaseOf = (lo: number, hi: number, apart = false) => ({
  lo,
  hi,
  apart,
  microBatches: 13,
  firstMicroBatch: 13,
});

/** A lease's losses, and a digest of each of its nodes. */
async function digestsOf(pool: ComputePool, lo: number, hi: number, apart: boolean) {
  const { nodes, losses } = await pool.compute(leaseOf(lo, hi, apart), async (number) => batchOf(number));
  const sums = nodes.map((node) => {
    const digest = createHash("sha256");
    for (const chunk of layout.chunks) {
      digest.update(pool.memory.sums(node.slot, "s1", chunk));
      if (node.hi - node.lo > 1 && chunk.kind === "parameter") {
        digest.update(pool.memory.sums(node.slot, "s2", chunk));
      }
    }
    return { lo: node.lo, hi: node.hi, digest: digest.digest("hex") };
  });
  pool.release(nodes.map(({ slot }) => slot));
  return { losses, sums };
}

describe("threads whose programs keep sums", { skip, timeout: 60_000 }, () => {
  it("give a lease the nodes that the host's threads give it", async () => {
    const [host, program] = await Promise.all([openPool("host", 1), openPool("program", 2)]);
    // The first leases are watched and proven.
    for (const [lo, hi, apart] of [
      [0, 13, false],
      [0, 13, false],
      [5, 13, false],
      [3, 6, true],
      [12, 13, false],
    ] as const) {
      assert.deepEqual(await digestsOf(program, lo, hi, apart), await digestsOf(host, lo, hi, apart), `[${lo}, ${hi})`);
    }
  });

  it("give a lease up between two calls, take other work then, and end while a call is made", async () => {
    const pool = await openPool("program", 1);
    /** A lease, and when its fourth micro-batch is fetched: then others are computed. */
    const start = (signal?: AbortSignal) => {
      let reach = (): void => {};
      const isReached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      const fetch = async (number: number) => {
        if (number === 16) reach();
        return batchOf(number, 8_192);
      };
      const computing = pool.compute(leaseOf(0, 13), fetch, { signal });
      computing.catch(() => {});
      return { computing, isReached };
    };
    // Its first three micro-batches are watched and proven.
    const { nodes } = await start().computing;
    pool.release(nodes.map(({ slot }) => slot));
    const stop = new AbortController();
    const stopped = start(stop.signal);
    await stopped.isReached;
    stop.abort(new Error("enough"));
    await assert.rejects(stopped.computing, /^Error: enough$/);
    const { correct } = await pool.evaluate(0, 1, async (number) => batchOf(number));
    assert.equal(correct.length, 1);
    await pool.load();
    const last = start();
    await last.isReached;
    assert.equal(await pool.close(), true);
    await assert.rejects(last.computing, /^Error: Compute thread 0 is closed\.$/);
  });
});
