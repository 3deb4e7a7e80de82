import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createWorkerMemory } from "../compute/index.js";
import { createCoreHost } from "../shared/core-host.js";
import { createLayout } from "../shared/layout/index.js";
import { checksumFor, type WeightsChunk } from "../shared/wire/index.js";
import { createWorkerCore, type WorkerEffect, type WorkerEvent } from "./core/index.js";
import type { ShardLink } from "./shard-link.js";
import { createWeightStreams } from "./weights.js";
import { createWireForms } from "./wire-forms.js";

const layout = createLayout([
  { name: "kernel", shape: [5000], kind: "parameter", decay: true },
  { name: "mean", shape: [3], kind: "tail", decay: false, momentum: 0.9 },
]);
const CHUNKS = layout.chunks.length;
const PLAIN = { encrypted: false };

/**
 * A core with weights from one shard, whose stream is this test's, and threads that copy for as long as `load` takes.
 */
function open(test: TestContext, load: () => Promise<void>) {
  const memory = createWorkerMemory({ layout, threads: 1, leaves: 1 });
  const held: string[] = [];
  const stream = Object.assign(new Readable({ objectMode: true, read() {} }), { cancel: () => stream.destroy() });
  const connection = { ...PLAIN, shard: { watchWeights: () => stream } };
  const link = { index: 0, firstChunk: 0, endChunk: CHUNKS, name: "shard 0", connection: async () => connection };
  const core = createWorkerCore({ connectWaitMs: 1_000, reconnectWaitMs: 1_000 });
  const perform = (effect: WorkerEffect): void => {
    if (effect.kind === "watch") weights.watch(effect.shard, effect.term, effect.afterMs);
    else if (effect.kind === "takeChunk") weights.take(effect.shard);
    else if (effect.kind === "skipChunk") weights.skip(effect.shard);
    else if (effect.kind === "load") void load().then(() => host.dispatch({ kind: "loaded" }));
    else if (effect.kind === "report" && effect.report.kind === "weightsHeld") {
      held.push(`${effect.report.term}.${effect.report.version}`);
    }
  };
  const onFailed = assert.ifError;
  const host = createCoreHost<WorkerEvent, WorkerEffect>({
    handle: (event) => core.handle(event, 0),
    perform,
    onFailed,
  });
  const weights = createWeightStreams({
    workerId: "w1",
    seal: Buffer.from("seal"),
    links: [link as unknown as ShardLink],
    memory,
    near: { open: async () => undefined },
    forms: createWireForms(memory, "float32"),
    dispatch: host.dispatch,
  });
  test.after(() => weights.close());
  const slots = { total: 0, perLease: 1 };
  const attachment = { chunks: layout.chunks, shards: [link], microBatchesTotal: 1, slots, newMemory: true };
  host.dispatch({ kind: "start" });
  host.dispatch({ kind: "attached", attachment });
  /** Every number of version s is s. */
  const send = (version: number, chunks = [...layout.chunks.keys()]): void => {
    for (const chunk of chunks) {
      const bytes = Buffer.from(new Float32Array(layout.chunks[chunk].length).fill(version).buffer);
      const checksum = checksumFor(PLAIN, [bytes]);
      stream.push({ term: 1, version, chunk, weights: bytes, checksum } satisfies WeightsChunk);
    }
  };
  const versionsInMemory = (): number[] => layout.chunks.map((chunk) => memory.weights(chunk).readFloatLE(0));
  return { held, send, versionsInMemory, weights };
}

/** Time for everything that can happen to happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

describe("createWeightStreams()", { timeout: 20_000 }, () => {
  it("does not touch θ while the threads copy it, and takes what has arrived meanwhile afterwards", async (test) => {
    const seen: number[][] = [];
    const { held, send, versionsInMemory } = open(test, async () => {
      send(versionsInMemory()[0] + 1, seen.length < 2 ? undefined : []);
      await settle();
      seen.push(versionsInMemory());
    });
    send(1);
    while (seen.length < 3) await settle();
    const all = (version: number): number[] => new Array(CHUNKS).fill(version);
    assert.deepEqual(seen, [all(1), all(2), all(3)]);
    await settle();
    assert.deepEqual(held, ["1.1", "1.2", "1.3"]);
  });

  it("closes while a chunk waits for the threads", async (test) => {
    let copied: () => void = () => {};
    const { held, send, versionsInMemory, weights } = open(test, () => new Promise((resolve) => (copied = resolve)));
    send(1);
    send(2);
    await settle();
    await weights.close();
    copied();
    await settle();
    assert.deepEqual([versionsInMemory(), held], [new Array(CHUNKS).fill(1), ["1.1"]]);
  });

  it("closes while a chunk comes that the core hears no more of", async () => {
    const memory = createWorkerMemory({ layout, threads: 1, leaves: 1 });
    const stream = Object.assign(new Readable({ objectMode: true, read() {} }), { cancel: () => stream.destroy() });
    const connection = { ...PLAIN, shard: { watchWeights: () => stream } };
    const link = { index: 0, firstChunk: 0, endChunk: CHUNKS, name: "shard 0", connection: async () => connection };
    const weights = createWeightStreams({
      workerId: "w1",
      seal: Buffer.from("seal"),
      links: [link as unknown as ShardLink],
      memory,
      near: { open: async () => undefined },
      forms: createWireForms(memory, "float32"),
      dispatch() {},
    });
    weights.watch(0, 1, 0);
    await settle();
    const closed = weights.close();
    // Before the call is cancelled, which takes until the next turn.
    const bytes = Buffer.alloc(layout.chunks[0].length * 4);
    stream.push({ term: 1, version: 1, chunk: 0, weights: bytes, checksum: checksumFor(PLAIN, [bytes]) });
    await closed;
  });
});
