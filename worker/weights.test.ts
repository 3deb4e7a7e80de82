import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createLayout } from "../shared/layout/index.js";
import { createLog } from "../shared/log.js";
import { checksumFor, type WeightsChunk__Output } from "../shared/wire/index.js";
import { createWorkerMemory } from "./compute/index.js";
import type { ShardLink } from "./shard-link.js";
import { openWeights, type WeightsOptions } from "./weights.js";

const log = createLog({ level: "silent", pretty: false });
const layout = createLayout([
  { name: "kernel", shape: [5000], kind: "parameter", decay: true },
  { name: "mean", shape: [3], kind: "tail", decay: false, momentum: 0.9 },
]);
const CHUNKS = layout.chunks.length;
const PLAIN = { encrypted: false };

/** Weights from one shard, whose stream is this test's; with what was told of them. */
function open(test: TestContext, load: WeightsOptions["load"], onFailed: WeightsOptions["onFailed"] = assert.ifError) {
  const memory = createWorkerMemory({ layout, threads: 1, leaves: 1 });
  const told: string[] = [];
  const stream = Object.assign(new Readable({ objectMode: true, read() {} }), { cancel: () => stream.destroy() });
  const connection = { ...PLAIN, shard: { watchWeights: () => stream } };
  const link = { index: 0, firstChunk: 0, endChunk: CHUNKS, name: "shard 0", connection: async () => connection };
  const weights = openWeights({
    workerId: "w1",
    seal: Buffer.from("seal"),
    links: [link as unknown as ShardLink],
    memory,
    load,
    onComplete: ({ epoch, version }) => told.push(`complete ${epoch}.${version}`),
    onHeld: ({ epoch, version }) => told.push(`held ${epoch}.${version}`),
    onFailed,
    log,
  });
  test.after(() => weights.close());
  /** Every number of version s is s. */
  const send = (version: number, chunks = [...layout.chunks.keys()]): void => {
    for (const chunk of chunks) {
      const bytes = Buffer.from(new Float32Array(layout.chunks[chunk].length).fill(version).buffer);
      stream.push({
        epoch: 1,
        version,
        chunk,
        weights: bytes,
        checksum: checksumFor(PLAIN, [bytes]),
      } satisfies WeightsChunk__Output);
    }
  };
  const versionsInMemory = (): number[] => layout.chunks.map((chunk) => memory.weights(chunk).readFloatLE(0));
  return { weights, told, send, versionsInMemory };
}

/** Time for everything that can happen to happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

describe("openWeights()", { timeout: 20_000 }, () => {
  it("leaves θ alone while the threads copy it, and takes what has come meanwhile afterwards", async (test) => {
    const seen: number[][] = [];
    const { told, send, versionsInMemory } = open(test, async () => {
      send(versionsInMemory()[0] + 1, seen.length < 2 ? undefined : []);
      await settle();
      seen.push(versionsInMemory());
    });
    send(1);
    while (seen.length < 3) await settle();
    const all = (version: number): number[] => new Array(CHUNKS).fill(version);
    assert.deepEqual(seen, [all(1), all(2), all(3)]);
    await settle();
    assert.deepEqual(told, ["complete 1.1", "held 1.1", "complete 1.2", "held 1.2", "complete 1.3", "held 1.3"]);
  });

  it("has new threads copy θ once more while it is complete, else the next version", async (test) => {
    const { weights, told, send } = open(test, async () => {});
    send(1);
    while (told.length < 2) await settle();
    weights.reload();
    await settle();
    send(2, [0]);
    await settle();
    weights.reload();
    await settle();
    send(2);
    while (told.length < 6) await settle();
    assert.deepEqual(told, ["complete 1.1", "held 1.1", "complete 1.1", "held 1.1", "complete 1.2", "held 1.2"]);
  });

  it("tells when the threads can't copy, and claims to hold nothing", async (test) => {
    const failures: unknown[] = [];
    const error = new Error("no threads");
    const { told, send } = open(
      test,
      () => Promise.reject(error),
      (failure) => failures.push(failure),
    );
    send(1);
    while (failures.length === 0) await settle();
    assert.deepEqual([failures, told], [[error], ["complete 1.1"]]);
  });
});
