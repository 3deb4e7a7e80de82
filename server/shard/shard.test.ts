/** A shard behind its real gRPC service, pushed to by clients that may not be what they should. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { before, describe, it, type TestContext } from "node:test";
import { credentials } from "@grpc/grpc-js";
import fc from "fast-check";
import { makeAuthority } from "../../shared/credentials/authority.test.helper.js";
import { createToken, type LeaseClaims, leaseMac, sendToken } from "../../shared/credentials/index.js";
import { IsobatchError } from "../../shared/errors.js";
import {
  CHUNK_PAYLOAD_BYTES_MAX,
  cancel,
  checksumFor,
  connect,
  fromStatus,
  type PushMessage,
  type PushResult,
  readMessages,
  ShardClient,
  type SumsChunk,
  shardService,
} from "../../shared/wire/index.js";
import type { CheckpointStore, SliceState } from "../checkpoint/index.js";
import type { MeasuredReport } from "./index.js";
import {
  ACTIVE,
  claimsOf,
  GRADIENTS,
  KAPPA,
  KEY,
  LAYOUT,
  planOf,
  type SmallShard,
  sealOf,
  serveSmallShard,
  TOKEN,
} from "./small-shard.test.helper.js";

const FROZEN = LAYOUT.chunks.length - 1;

function push(client: ShardClient, messages: readonly PushMessage[]): Promise<PushResult> {
  return new Promise((resolve, reject) => {
    const stream = client.pushSums((error, result) =>
      error ? reject(fromStatus(error, "The push")) : resolve(result!),
    );
    stream.on("error", () => {});
    for (const message of messages) stream.write(message);
    stream.end();
  });
}

function leaseMessage(claims: LeaseClaims, more: Partial<NonNullable<PushMessage["lease"]>> = {}): PushMessage {
  const losses = Array.from({ length: Math.max(0, Math.min(100, claims.hi - claims.lo)) }, (_, i) => 1 + i);
  const seal = sealOf(more.workerId ?? claims.workerId);
  return { lease: { ...claims, mac: leaseMac(KEY, claims), losses, seal, ...more } };
}

/** A chunk's sums over [lo, hi), added in order: of at most two leaves, so the order is the tree's. */
function sumsOf(chunk: number, lo: number, hi: number): Float32Array {
  const { offset, length, kind } = LAYOUT.chunks[chunk];
  const parts = GRADIENTS.slice(lo, hi).map((g) => g.slice(offset, offset + length));
  const add = (a: Float32Array, b: Float32Array): Float32Array => a.map((x, i) => Math.fround(x + b[i]));
  const s1 = parts.reduce<Float32Array>(add, new Float32Array(length).fill(-0));
  if (hi - lo === 1 || kind !== "parameter") return s1;
  const s2 = parts.map((g) => g.map((x) => Math.fround(x * x))).reduce<Float32Array>(add, new Float32Array(length));
  return Float32Array.of(...s1, ...s2);
}

/** @param more changed after the checksum was taken */
function chunkMessage(
  chunk: number,
  lo: number,
  hi: number,
  more: Partial<SumsChunk> = {},
  sums = sumsOf(chunk, lo, hi),
): PushMessage {
  const bytes = Buffer.from(sums.buffer);
  const half = LAYOUT.chunks[chunk].length * 4;
  const parts = bytes.length > half ? [bytes.subarray(0, half), bytes.subarray(half)] : [bytes];
  return { chunk: { lo, hi, chunk, sums: bytes, checksum: checksumFor({ encrypted: false }, parts), ...more } };
}

/** A whole lease of at most two leaves, as a worker pushes it. */
const leasePush = (lo: number, hi: number): PushMessage[] => [
  leaseMessage(claimsOf(lo, hi)),
  ...ACTIVE.map(({ index }) => chunkMessage(index, lo, hi)),
];

/** The weights as WatchWeights sends them. */
async function weightsOf({ connection }: SmallShard): Promise<Map<number, Buffer>> {
  const stream = connection.shard.watchWeights({ workerId: "w-1", term: 1, seal: sealOf("w-1") });
  const chunks = new Map<number, Buffer>();
  for await (const { chunk, weights } of readMessages(stream, { what: "The weights", stallMs: 5_000 })) {
    chunks.set(chunk, Buffer.from(weights));
    if (chunks.size === LAYOUT.chunks.length) break;
  }
  cancel(stream);
  return chunks;
}

/** Waits for a report; they come without a message from outside. */
async function reported(served: SmallShard, kind: MeasuredReport["kind"]): Promise<MeasuredReport> {
  for (;;) {
    const found = served.reports.find((report) => report.kind === kind);
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Pushes the step, and returns all of the shard's numbers after it. */
async function cleanStep(served: SmallShard): Promise<SliceState> {
  const { connection, shard, store } = served;
  assert.deepEqual(await push(connection.shard, leasePush(0, 2)), { accepted: ACTIVE.length, dropped: 0 });
  assert.deepEqual(await push(connection.shard, leasePush(2, 4)), { accepted: ACTIVE.length, dropped: 0 });
  await reported(served, "committed");
  shard.handle({ kind: "checkpoint", term: 1, mark: { step: 1, microBatches: KAPPA, c1: 0.1, c2: 0.01 } });
  await reported(served, "checkpointed");
  return stateAt(store, 1);
}

function stateAt(store: CheckpointStore, step: number): SliceState {
  const into = {
    theta: new Float32Array(LAYOUT.length),
    m: new Float32Array(LAYOUT.parameters),
    v: new Float32Array(LAYOUT.parameters),
  };
  store.load(step, into);
  return into;
}

let undisturbed: SliceState;
before(async () => {
  // Any context that cleans up will do for a shard that is used once.
  const cleanUp: (() => unknown)[] = [];
  const served = await serveSmallShard({
    after: (action: () => unknown) => cleanUp.push(action),
  } as unknown as TestContext);
  undisturbed = await cleanStep(served);
  for (const action of cleanUp.reverse()) await action();
});

const with1 = (change: (sums: Float32Array) => void, chunk = 0, lo = 0, hi = 2): PushMessage => {
  const sums = sumsOf(chunk, lo, hi);
  change(sums);
  return chunkMessage(chunk, lo, hi, {}, sums);
};
const valid = chunkMessage(0, 0, 2);

const ATTACKS: [name: string, messages: () => PushMessage[], reason: RegExp][] = [
  ["no lease before the first chunk", () => [valid], /must start with its lease/],
  ["an empty message", () => [{}], /must start with its lease/],
  ["a lease without its seal", () => [leaseMessage(claimsOf(0, 2), { mac: Buffer.alloc(0) }), valid], /no such lease/],
  [
    "a seal with a flipped bit",
    () => {
      const mac = leaseMac(KEY, claimsOf(0, 2));
      mac[31] ^= 1;
      return [leaseMessage(claimsOf(0, 2), { mac }), valid];
    },
    /no such lease/,
  ],
  ["another worker's lease", () => [leaseMessage(claimsOf(0, 2), { workerId: "w-2" }), valid], /w-2 has no such lease/],
  ["one who has not joined", () => [leaseMessage(claimsOf(0, 2), { seal: Buffer.alloc(32) }), valid], /join first/],
  ["another worker's seal", () => [leaseMessage(claimsOf(0, 2), { seal: sealOf("w-2") }), valid], /"w-1" has joined/],
  ["a lease made longer", () => [leaseMessage(claimsOf(0, 1), { hi: 2, losses: [1, 2] }), valid], /no such lease/],
  ["a lease of another step", () => [leaseMessage(claimsOf(0, 2), { step: 1 }), valid], /no such lease/],
  [
    "a lease of another run",
    () => {
      const mac = leaseMac(KEY, { ...claimsOf(0, 2), runId: "another" });
      return [leaseMessage(claimsOf(0, 2), { mac }), valid];
    },
    /no such lease/,
  ],
  [
    "a lease of a range that is none",
    () => [leaseMessage(claimsOf(4_000_000_000, 1)), valid],
    /needs -3999999999 finite losses/,
  ],
  ["a lease without losses", () => [leaseMessage(claimsOf(0, 2), { losses: [] }), valid], /needs 2 finite losses/],
  ["one loss too many", () => [leaseMessage(claimsOf(0, 2), { losses: [1, 2, 3] }), valid], /needs 2 finite losses/],
  ["a loss that is NaN", () => [leaseMessage(claimsOf(0, 2), { losses: [1, NaN] }), valid], /needs 2 finite losses/],
  [
    "a wrong checksum",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { checksum: Buffer.alloc(8) })],
    /Chunk 0 of \[0, 2\) came damaged: its checksum is [0-9a-f]{16}, not 0{16}\./,
  ],
  [
    "no checksum without TLS",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { checksum: Buffer.alloc(0) })],
    /Chunk 0 of \[0, 2\) came without a checksum, which a connection without TLS needs/,
  ],
  [
    "half a checksum",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { checksum: Buffer.alloc(4) })],
    /without a checksum/,
  ],
  [
    "a flipped bit",
    () => {
      const sums = Buffer.from(sumsOf(0, 0, 2).buffer);
      sums[100] ^= 1;
      return [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { sums })];
    },
    /Chunk 0 of \[0, 2\) came damaged: its checksum/,
  ],
  [
    "too few bytes",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, {}, sumsOf(0, 0, 1))],
    /chunk 0 of \[0, 2\) has \d+ bytes instead of \d+/,
  ],
  ["too many bytes", () => [leaseMessage(claimsOf(0, 1)), chunkMessage(0, 0, 1, {}, sumsOf(0, 0, 2))], /bytes instead/],
  ["no bytes", () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { sums: Buffer.alloc(0) })], /has 0 bytes/],
  [
    "an unknown chunk",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { chunk: 99 })],
    /chunk 99 is not among/,
  ],
  [
    "the largest chunk number there is",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { chunk: 2 ** 32 - 1 })],
    /chunk 4294967295 is not among/,
  ],
  ["a frozen chunk", () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { chunk: FROZEN })], /is not among/],
  [
    "leaves beyond the lease",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 4)],
    /outside the lease \[0, 2\)/,
  ],
  [
    "absurd leaves",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { lo: 0, hi: 4_294_967_295 })],
    /outside the lease/,
  ],
  ["no leaves", () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { lo: 1, hi: 1 })], /outside the lease/],
  [
    "leaves back to front",
    () => [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, { lo: 2, hi: 0 })],
    /outside the/,
  ],
  [
    "a range that is not a node",
    () => [leaseMessage(claimsOf(0, 4)), chunkMessage(0, 1, 3)],
    /is not a node of a step of 4/,
  ],
  ["NaN in S1", () => [leaseMessage(claimsOf(0, 2)), with1((sums) => sums.fill(NaN, 5, 6))], /is not finite/],
  ["infinity in S2", () => [leaseMessage(claimsOf(0, 2)), with1((sums) => sums.fill(Infinity, -1))], /is not finite/],
  ["NaN in the tail", () => [leaseMessage(claimsOf(0, 2)), with1((s) => s.fill(NaN, 0, 1), 2)], /Chunk 2 .*not finite/],
  ["a step far ahead", () => [leaseMessage(claimsOf(0, 2, { step: 2 })), valid], /step 2 is not open/],
  ["a term that is over", () => [leaseMessage(claimsOf(0, 2, { term: 0 })), valid], /term 0 is over/],
];

describe("PushSums", { timeout: 60_000 }, () => {
  for (const [name, messages, reason] of ATTACKS) {
    it(`refuses ${name}; the weights are as before, and the step comes out the same`, async (test) => {
      const served = await serveSmallShard(test);
      const weights = await weightsOf(served);
      await assert.rejects(push(served.connection.shard, messages()), (error: unknown) => {
        assert.ok(error instanceof IsobatchError && error.code !== "unavailable", String(error));
        assert.match(error.message, reason);
        return true;
      });
      assert.deepEqual(await weightsOf(served), weights);
      assert.deepEqual(await cleanStep(served), undisturbed);
      assert.deepEqual(served.failures, []);
    });
  }

  it("survives any bytes at all", async (test) => {
    const served = await serveSmallShard(test);
    const weights = await weightsOf(served);
    const client = served.connection.shard;
    const { path } = shardService.PushSums;
    const pushBytes = (pieces: Uint8Array[]): Promise<unknown> =>
      new Promise((resolve) => {
        const stream = client.makeClientStreamRequest(
          path,
          (bytes: Uint8Array) => Buffer.from(bytes),
          (bytes: Buffer) => bytes,
          (error) => resolve(error),
        );
        stream.on("error", () => {});
        for (const piece of pieces) stream.write(piece);
        stream.end();
      });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }), async (pieces) => {
        assert.ok((await pushBytes(pieces)) instanceof Error);
      }),
      { numRuns: 100 },
    );
    assert.deepEqual(await weightsOf(served), weights);
    assert.deepEqual(await cleanStep(served), undisturbed);
  });

  it("refuses a message over the size limit", async (test) => {
    const served = await serveSmallShard(test);
    const client = new ShardClient(`127.0.0.1:${served.address.port}`, credentials.createInsecure(), {
      "grpc.max_send_message_length": -1,
      interceptors: [sendToken(TOKEN)],
    });
    test.after(() => client.close());
    const sums = new Float32Array(CHUNK_PAYLOAD_BYTES_MAX / 2);
    const messages = [leaseMessage(claimsOf(0, 2)), chunkMessage(0, 0, 2, {}, sums)];
    await assert.rejects(push(client, messages), { code: "exhausted" });
    assert.deepEqual(await cleanStep(served), undisturbed);
  });

  for (const [name, token, reason] of [
    ["without", undefined, /requires a join token/],
    ["with a wrong", createToken(), /not valid on this server/],
  ] as const) {
    it(`is closed ${name} token, as is WatchWeights, which sends no byte`, async (test) => {
      const served = await serveSmallShard(test);
      const stranger = await connect(served.address, { token, waitMs: 5_000 });
      test.after(() => stranger.close());
      await assert.rejects(push(stranger.shard, leasePush(0, 2)), reason);
      const received: unknown[] = [];
      const watch = async (): Promise<void> => {
        const stream = stranger.shard.watchWeights({ workerId: "w-1", term: 1, seal: sealOf("w-1") });
        for await (const message of readMessages(stream, { what: "The weights" })) received.push(message);
      };
      await assert.rejects(watch(), reason);
      assert.deepEqual(received, []);
      assert.deepEqual(await cleanStep(served), undisturbed);
    });
  }

  it("drops what it has already, and says so", async (test) => {
    const served = await serveSmallShard(test);
    const { shard } = served.connection;
    await push(shard, leasePush(0, 2));
    assert.deepEqual(await push(shard, leasePush(0, 2)), { accepted: 0, dropped: ACTIVE.length });
    assert.deepEqual(await push(shard, leasePush(1, 2)), { accepted: 0, dropped: ACTIVE.length });
    await push(shard, leasePush(2, 4));
    assert.deepEqual(await push(shard, leasePush(2, 4)), { accepted: 0, dropped: ACTIVE.length });
    served.shard.handle({ kind: "checkpoint", term: 1, mark: { step: 1, microBatches: KAPPA, c1: 0.1, c2: 0.01 } });
    await reported(served, "checkpointed");
    assert.deepEqual(stateAt(served.store, 1), undisturbed);
  });

  it("neither wants nor sends checksums over TLS", async (test) => {
    const { ca, issue } = await makeAuthority();
    const served = await serveSmallShard(test, { tls: { ...(await issue({ names: ["127.0.0.1"] })), ca: ca.pem } });
    const none = (messages: PushMessage[]): PushMessage[] =>
      messages.map(({ lease, chunk }) => (lease ? { lease } : { chunk: { ...chunk!, checksum: Buffer.alloc(0) } }));
    const pushed = await push(served.connection.shard, none(leasePush(0, 2)));
    assert.deepEqual(pushed, { accepted: ACTIVE.length, dropped: 0 });
    const stream = served.connection.shard.watchWeights({ workerId: "w-1", term: 1, seal: sealOf("w-1") });
    for await (const { checksum } of readMessages(stream, { what: "The weights", stallMs: 5_000 })) {
      assert.equal(checksum.length, 0);
      break;
    }
  });

  it("lets a push wait for its plan, and for a term to come", async (test) => {
    const served = await serveSmallShard(test);
    const ahead = [leaseMessage(claimsOf(0, 2, { term: 2 })), ...ACTIVE.map(({ index }) => chunkMessage(index, 0, 2))];
    const waiting = push(served.connection.shard, ahead);
    await push(served.connection.shard, leasePush(2, 4));
    served.shard.handle({ kind: "restore", term: 2, step: 0 });
    served.shard.handle({ kind: "plan", plan: planOf(0, { term: 2 }) });
    assert.deepEqual(await waiting, { accepted: ACTIVE.length, dropped: 0 });
  });

  it("weights every leaf, also the one that completes the step", async (test) => {
    const leafCoefficients = {
      leafCoefficients1: Float32Array.of(1, 2, 3, 4),
      leafCoefficients2: Float32Array.of(5, 6, 7, 8),
    };
    const alone = async (order: readonly number[]): Promise<SliceState> => {
      const served = await serveSmallShard(test, { plan: planOf(0, leafCoefficients) });
      for (const leaf of order) await push(served.connection.shard, leasePush(leaf, leaf + 1));
      await reported(served, "committed");
      served.shard.handle({ kind: "checkpoint", term: 1, mark: { step: 1, microBatches: KAPPA, c1: 0.1, c2: 0.01 } });
      await reported(served, "checkpointed");
      return stateAt(served.store, 1);
    };
    const inOrder = await alone([0, 1, 2, 3]);
    assert.deepEqual(await alone([3, 2, 1, 0]), inOrder);
    // m = mAdd·Σ w1·g, in float64 up to rounding.
    const { mAdd } = planOf(0).coefficients;
    for (const i of [0, 1234, LAYOUT.parameters - 1]) {
      const expected =
        mAdd * GRADIENTS.reduce((sum, g, leaf) => sum + leafCoefficients.leafCoefficients1[leaf] * g[i], 0);
      assert.ok(Math.abs(inOrder.m[i] - expected) < 1e-5 * Math.max(1e-3, Math.abs(expected)), `m[${i}]`);
    }
  });

  it("ends the run when sums of finite gradients overflow, instead of applying them", async (test) => {
    const served = await serveSmallShard(test);
    const { shard } = served.connection;
    const large = (chunk: number, leaf: number) =>
      chunkMessage(chunk, leaf, leaf + 1, {}, new Float32Array(LAYOUT.chunks[chunk].length).fill(1e25));
    const before = await weightsOf(served);
    await push(shard, leasePush(0, 2));
    await push(shard, [leaseMessage(claimsOf(2, 3)), chunkMessage(0, 2, 3)]);
    const last = [leaseMessage(claimsOf(3, 4)), large(0, 3)];
    await assert.rejects(push(shard, last), /diverged at step 0: the sums of micro-batches 0 to 3 overflow float32/);
    assert.equal(served.failures.length, 1);
    assert.equal((served.failures[0] as IsobatchError).code, "diverged");
    await assert.rejects(push(shard, leasePush(2, 4)), /the shard has failed/);
    served.shard.handle({ kind: "checkpoint", term: 1, mark: { step: 0, microBatches: 0, c1: 0, c2: 0 } });
    assert.deepEqual(await weightsOf(served), before);
  });
});

describe("a checkpoint that is being written when the run goes back", { timeout: 60_000 }, () => {
  for (const [ending, end] of [
    ["ends well", () => {}],
    [
      "fails",
      () => {
        throw new IsobatchError("exhausted", "The disk is full.");
      },
    ],
  ] as const) {
    it(`is not spoken of any more, and leaves no file, when it ${ending}`, async (test) => {
      let open: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      const slow = (store: CheckpointStore): CheckpointStore => ({
        ...store,
        async write(state, meta) {
          const written = await store.write(state, meta);
          if (meta.step !== 1) return written;
          await gate;
          end();
          return written;
        },
      });
      const served = await serveSmallShard(test, { slow });
      const { shard, connection, reports, folder } = served;
      const mark = { step: 1, microBatches: KAPPA, c1: 0.1, c2: 0.01 };
      for (const [lo, hi] of [
        [0, 2],
        [2, 4],
      ]) {
        await push(connection.shard, leasePush(lo, hi));
      }
      shard.handle({ kind: "checkpoint", term: 1, mark });
      // Another shard was lost: all go back to step 0, and write a checkpoint there.
      shard.handle({ kind: "restore", term: 2, step: 0 });
      shard.handle({ kind: "checkpoint", term: 2, mark: { step: 0, microBatches: 0, c1: 0, c2: 0 } });
      open();
      const checkpointed = await reported(served, "checkpointed");
      assert.deepEqual(checkpointed, { kind: "checkpointed", step: 0, error: undefined });
      assert.equal(reports.filter(({ kind }) => kind === "checkpointed").length, 1);
      const files = readdirSync(folder, { recursive: true }).map(String);
      assert.deepEqual(
        files.filter((name) => name.endsWith(".safetensors")).map((name) => name.split("/")[0]),
        ["step-000000000"],
      );
    });
  }
});
