import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, it } from "node:test";
import { settings } from "../backends/settings.test.helper.js";
import { canonicalNodes } from "../shared/sums/index.js";
import type { Lease } from "./compute-lease.js";
import { NonFiniteError } from "./errors.js";
import type { SampleBatch } from "./gradients/index.js";
import { batchOf, FORM, type OpenGradients, openGradients, TASK } from "./gradients/open-gradients.test.helper.js";
import { createWorkerMemory, type WorkerMemory } from "./memory.js";
import { type ComputePool, createComputePool } from "./pool.js";
import type { FetchBatch } from "./sample-feed.js";

const LAYERS = [
  { layer: "Dense", units: 40, inputShape: [4], activation: "tanh" },
  { layer: "BatchNormalization" },
  { layer: "Dropout", rate: 0.3 },
  { layer: "Dense", units: 3 },
];
const fetchBatch: FetchBatch = async (number) => batchOf(number);
const pools: ComputePool[] = [];
after(() => Promise.all(pools.map((pool) => pool.close())));

const LINEAR = [{ layer: "Dense", units: 3, inputShape: [4], kernelInitializer: "zeros" }];
const model = await openGradients({ layers: LAYERS, task: TASK });
const linear = await openGradients({ layers: LINEAR, task: TASK });
const { layout, gradients } = model;

/** A pool whose threads hold the model's initial weights. */
async function openPool(
  threads: number,
  { layout, topology, initialWeights }: Pick<OpenGradients, "layout" | "topology" | "initialWeights"> = model,
): Promise<{ pool: ComputePool; memory: WorkerMemory }> {
  const memory = createWorkerMemory({ layout, threads, leaves: 16 });
  const join = { task: TASK, topology, form: FORM };
  const pool = await createComputePool({ threads, backendSettings: settings, backend: "wasm", join, memory });
  pools.push(pool);
  const bytes = new Uint8Array(initialWeights.buffer);
  for (const chunk of layout.chunks)
    memory.weights(chunk).set(bytes.subarray(chunk.offset * 4, (chunk.offset + chunk.length) * 4));
  await pool.load();
  return { pool, memory };
}

const lease = (lo: number, hi: number, microBatches: number): Lease => ({ lo, hi, microBatches, firstMicroBatch: 100 });

/** A lease's losses, and its nodes with a digest of their sums' bytes as they would be pushed. */
async function computeDigests(pool: ComputePool, range: Lease, fetch = fetchBatch): Promise<unknown> {
  const { nodes, losses } = await pool.compute(range, fetch);
  const sums = nodes.map(({ lo, hi, slot }) => {
    const digest = createHash("sha256");
    for (const chunk of layout.chunks) {
      digest.update(pool.memory.sums(slot, "s1", chunk));
      if (hi - lo > 1 && chunk.kind === "parameter") digest.update(pool.memory.sums(slot, "s2", chunk));
    }
    return { lo, hi, digest: digest.digest("hex") };
  });
  pool.release(nodes.map(({ slot }) => slot));
  assert.equal(pool.memory.slotsTaken, 0, "every other slot was given back");
  return { losses: [...losses], sums };
}

describe("compute()", { timeout: 60_000 }, () => {
  it("yields a lease's canonical nodes with the same bits on 1, 2 and 3 threads", async () => {
    const opened = await Promise.all([1, 2, 3].map((threads) => openPool(threads)));
    for (const range of [lease(0, 7, 7), lease(1, 6, 8), lease(3, 6, 6), lease(2, 3, 4)]) {
      const [one, two, three] = await Promise.all(opened.map(({ pool }) => computeDigests(pool, range)));
      assert.deepEqual(two, one);
      assert.deepEqual(three, one);
      const { sums } = one as { sums: { lo: number; hi: number }[] };
      assert.deepEqual(
        sums.map(({ lo, hi }) => ({ lo, hi })),
        canonicalNodes(range.lo, range.hi, range.microBatches),
      );
    }
  });

  it("pushes a leaf as its raw gradient, and weighs the leaves of larger nodes", async () => {
    const { pool, memory } = await openPool(2);
    const chunk = layout.chunks[0];
    const raw: Float32Array[] = [];
    for (const leaf of [0, 1, 2]) {
      const { nodes } = await pool.compute(lease(leaf, leaf + 1, 3), fetchBatch);
      raw.push(new Float32Array(new Uint8Array(memory.sums(nodes[0].slot, "s1", chunk)).buffer));
      pool.release(nodes.map(({ slot }) => slot));
    }
    const weights = { leafCoefficients1: [0.5, 0.25, 2], leafCoefficients2: [4, 8, 0.125] };
    const { nodes } = await pool.compute({ ...lease(0, 3, 3), ...weights }, fetchBatch);
    const [root] = nodes;
    const [s1, s2] = (["s1", "s2"] as const).map((sum) => memory.sums(root.slot, sum, chunk));
    const f = Math.fround;
    for (let i = 0; i < chunk.length; i++) {
      const [a, b, c] = raw.map((g) => g[i]);
      assert.equal(s1.readFloatLE(i * 4), f(f(f(0.5 * a) + f(0.25 * b)) + f(2 * c)));
      assert.equal(s2.readFloatLE(i * 4), f(f(f(4 * f(a * a)) + f(8 * f(b * b))) + f(0.125 * f(c * c))));
    }
    pool.release([root.slot]);
  });

  it("asks for samples before the thread needs them, and for each once", async () => {
    const { pool } = await openPool(1);
    const asked: number[] = [];
    let answer: (() => void) | undefined;
    const third = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const computing = pool.compute(lease(0, 6, 6), async (number) => {
      asked.push(number);
      // The first samples come only once the second were asked for: without looking ahead this would wait forever.
      if (number === 101) answer?.();
      if (number === 101) await third;
      return batchOf(number);
    });
    const { nodes } = await computing;
    assert.deepEqual(asked, [100, 101, 102, 103, 104, 105]);
    pool.release(nodes.map(({ slot }) => slot));
  });

  it("computes with the weights that are being loaded when it is asked", async () => {
    const { pool, memory } = await openPool(2);
    const digests = [await computeDigests(pool, lease(0, 5, 8))];
    for (const chunk of layout.chunks) {
      const bytes = memory.weights(chunk);
      for (let at = 0; at < bytes.length; at += 4) bytes.writeFloatLE(bytes.readFloatLE(at) / 2, at);
    }
    const done: string[] = [];
    const loaded = pool.load().then(() => done.push("loaded"));
    digests.push(await computeDigests(pool, lease(0, 5, 8)));
    done.push("computed");
    await loaded;
    assert.deepEqual(done, ["loaded", "computed"]);
    digests.push(await computeDigests(pool, lease(0, 5, 8)));
    assert.notDeepEqual(digests[1], digests[0]);
    assert.deepEqual(digests[2], digests[1]);
  });

  it("takes samples that were prepared, regardless of work in between, and asks for each once", async () => {
    const { pool } = await openPool(2);
    const expected = await computeDigests(pool, lease(0, 6, 8));
    const asked: number[] = [];
    const noting: FetchBatch = (number) => {
      asked.push(number);
      return fetchBatch(number);
    };
    pool.prepare(lease(0, 6, 8), noting);
    pool.prepare(lease(0, 6, 8), noting);
    assert.deepEqual(await computeDigests(pool, lease(0, 6, 8), noting), expected);
    assert.deepEqual(asked.sort(), [100, 101, 102, 103, 104, 105]);
    // The threads forget what is not of the lease that they compute.
    pool.prepare(lease(0, 6, 8), noting);
    await computeDigests(pool, lease(6, 8, 8));
    assert.deepEqual(await computeDigests(pool, lease(0, 6, 8), noting), expected);
    // What is unavailable is asked for again.
    pool.prepare(lease(0, 6, 8), () => Promise.reject(new Error("not now")));
    await Promise.resolve();
    await computeDigests(pool, lease(6, 8, 8));
    assert.deepEqual(await computeDigests(pool, lease(0, 6, 8), noting), expected);
    // In a lease that fails nothing else is left behind.
    pool.prepare(lease(0, 6, 8), async (number) => ({ ...batchOf(number), samples: 3 }));
    await assert.rejects(pool.compute(lease(0, 6, 8), noting), /A batch of 3 samples has 128 bytes of inputs/);
    assert.deepEqual(await computeDigests(pool, lease(0, 6, 8), noting), expected);
  });

  it("names the micro-batches whose sums overflow, whether a thread has made them or all together", async () => {
    // Its gradient is as large as its inputs, and so finite; its square is not.
    const large: FetchBatch = async (number) => {
      const inputs = Float32Array.from({ length: 32 }, () => (number === 103 || number === 102 ? 3e25 : 1));
      return { ...batchOf(number), inputs: new Uint8Array(inputs.buffer) };
    };
    for (const threads of [1, 2]) {
      const { pool, memory } = await openPool(threads, linear);
      for (const [range, name] of [
        [lease(0, 4, 4), "100 to 103"],
        [lease(2, 4, 8), "102 to 103"],
        [lease(0, 7, 8), "100 to 103"],
      ] as const) {
        await assert.rejects(pool.compute(range, large), {
          name: "NonFiniteError",
          message: `The sums of micro-batches ${name} overflow float32.`,
        });
        assert.equal(memory.slotsTaken, 0);
      }
      const { nodes } = await pool.compute(lease(2, 3, 8), large);
      pool.release(nodes.map(({ slot }) => slot));
    }
  });

  it("names the micro-batch that is not finite, releases its slots, and continues", async () => {
    const { pool, memory } = await openPool(2);
    const withNaN: FetchBatch = async (number) => {
      const batch = batchOf(number);
      if (number === 105) new Float32Array(batch.inputs.buffer)[0] = Number.NaN;
      return batch;
    };
    await assert.rejects(
      pool.compute(lease(0, 8, 8), withNaN),
      (error) => error instanceof NonFiniteError && error.microBatch === 105,
    );
    assert.equal(memory.slotsTaken, 0);
    await computeDigests(pool, lease(0, 8, 8));
  });

  it("rejects with the reason samples could not be had", async () => {
    const { pool, memory } = await openPool(2);
    const failing = async (number: number): Promise<SampleBatch> => {
      if (number === 103) throw new Error("the server went away");
      return batchOf(number);
    };
    await assert.rejects(pool.compute(lease(0, 8, 8), failing), /the server went away/);
    assert.equal(memory.slotsTaken, 0);
  });

  it("gives up on a signal while it waits for slots", async () => {
    const { pool, memory } = await openPool(1);
    const held = await memory.takeSlots(memory.bounds.total);
    const abort = new AbortController();
    const given = pool.compute(lease(0, 2, 2), fetchBatch, { signal: abort.signal });
    abort.abort(new Error("the worker stops"));
    await assert.rejects(given, /the worker stops/);
    memory.releaseSlots(held);
    assert.equal(memory.slotsTaken, 0);
  });

  it("gives up on a signal, also while it waits for samples, and computes the next lease right", async () => {
    const { pool, memory } = await openPool(2);
    const expected = await computeDigests(pool, lease(0, 4, 4));
    const abort = new AbortController();
    const never: FetchBatch = (number) => {
      if (number < 102) return fetchBatch(number);
      abort.abort(new Error("the term is void"));
      return new Promise(() => {});
    };
    await assert.rejects(pool.compute(lease(0, 8, 8), never, { signal: abort.signal }), /the term is void/);
    assert.equal(memory.slotsTaken, 0);
    assert.deepEqual(await computeDigests(pool, lease(0, 4, 4)), expected);
  });

  it("rejects everything under way when a thread dies, and everything after", async () => {
    const { pool } = await openPool(2);
    const dying: FetchBatch = async (number) => {
      if (number === 102) await pool.close();
      return batchOf(number);
    };
    const computing = pool.compute(lease(0, 8, 8), dying);
    const evaluating = pool.evaluate(0, 1, fetchBatch);
    await assert.rejects(computing, /Compute thread \d is closed/);
    await assert.rejects(evaluating, /Compute thread \d is closed/);
    await assert.rejects(pool.load(), /Compute thread \d is closed/);
  });
});

describe("evaluate()", { timeout: 60_000 }, () => {
  it("gives each batch's sums, whichever thread had it", async () => {
    const { pool } = await openPool(2);
    const { lossSums, correct } = await pool.evaluate(3, 8, fetchBatch);
    const expected = [3, 4, 5, 6, 7].map((number) => gradients.evaluate(batchOf(number)));
    assert.deepEqual(
      [...lossSums],
      expected.map(({ lossSum }) => lossSum),
    );
    assert.deepEqual(
      [...correct],
      expected.map((batch) => batch.correct),
    );
  });
});

describe("createComputePool()", { timeout: 60_000 }, () => {
  it("says what the threads compute on", async () => {
    const { pool } = await openPool(1);
    assert.equal(pool.numerics.backend, "wasm");
    assert.match(pool.device, /WebAssembly/);
  });

  it("rejects with the reason a thread could not start", async () => {
    const memory = createWorkerMemory({ layout, threads: 2, leaves: 1 });
    const join = { task: TASK, topology: '{"class_name":"Lambda"}', form: FORM };
    await assert.rejects(
      createComputePool({ threads: 2, backendSettings: settings, backend: "wasm", join, memory }),
      /topology/,
    );
  });
});
