import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Metadata } from "@grpc/grpc-js";
import { createCoreHost } from "../../shared/core-host.js";
import { createLeaseKey, leaseMac, memberSeal } from "../../shared/credentials/index.js";
import { createLayout } from "../../shared/layout/index.js";
import { checksumFor, type PushMessage } from "../../shared/wire/index.js";
import { createAdmission } from "./admission.js";
import { createShardCore, type ShardEvent } from "./core/index.js";
import { type ShardWork, workOf } from "./effects.js";
import { createMeasures } from "./measures.js";
import { takePush } from "./push-service.js";
import { createTraffic } from "./traffic.js";

const LAYOUT = createLayout([{ name: "a/kernel", shape: [100], kind: "parameter", decay: true }]);
const RANGE = { firstChunk: 0, endChunk: 1 };
const RUN = "a run";
const KEY = createLeaseKey();
const MARK = { step: 0, microBatches: 0, c1: 0, c2: 0 };

/** A shard that performs nothing, and writes down what a push's bytes were read for. */
function shard() {
  const core = createShardCore({ chunks: [0], reportsLosses: true, slotsMax: 10 });
  const done: string[] = [];
  const host = createCoreHost<ShardEvent, ShardWork>({
    handle(event) {
      admission.wake();
      return workOf(core.handle(event));
    },
    perform: (work) => done.push(...(work.kind === "compute" ? work.moves.map(({ kind }) => kind) : [work.kind])),
    onFailed: (error) => assert.fail(String(error)),
  });
  const admission = createAdmission(core, host);
  const reads: string[] = [];
  const service = {
    layout: LAYOUT,
    range: RANGE,
    wire: "float32" as const,
    runId: RUN,
    leaseKey: KEY,
    admission,
    slice: {
      receive() {
        reads.push("copied and scanned");
        return { kind: "own", s1: 0, s2: 0 } as const;
      },
    },
    measures: createMeasures(),
    traffic: createTraffic(),
  };

  /** @param length of the sums, which can't be read without being seen */
  function push(lo: number, hi: number, { term = 1, gone = new AbortController().signal } = {}) {
    const claims = { runId: RUN, workerId: "w-1", lease: 1, term, step: 0, lo, hi };
    const seal = memberSeal(KEY, { runId: RUN, workerId: "w-1", token: "" });
    const losses = new Array<number>(hi - lo).fill(1);
    const bytes = Buffer.alloc(hi - lo > 1 ? 800 : 400);
    const chunk = {
      lo,
      hi,
      chunk: 0,
      sums: bytes,
      // The checksum is needed only where the bytes are read.
      get checksum() {
        reads.push("summed");
        return checksumFor({ encrypted: false }, hi - lo > 1 ? [bytes.subarray(0, 400), bytes.subarray(400)] : [bytes]);
      },
    };
    const messages = [{ lease: { ...claims, mac: leaseMac(KEY, claims), losses, seal } }, { chunk }];
    return takePush(
      service,
      (async function* () {
        yield* messages as unknown as PushMessage[];
      })(),
      { metadata: new Metadata(), encrypted: false },
      gone,
    );
  }

  return { host, reads, done, push };
}

function open(host: ReturnType<typeof shard>["host"], term: number): void {
  host.dispatch({ kind: "restore", term, step: 0 });
  host.dispatch({ kind: "restored", term, mark: MARK });
  host.dispatch({
    kind: "plan",
    plan: { term, step: 0, firstMicroBatch: 0, microBatches: 4, coefficients: {} as never },
  });
}

const ONCE = ["summed", "copied and scanned"];

/** Lets everything continue that does not wait for an event. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the bytes of a pushed chunk", () => {
  it("are read once when it is admitted, and not when it is dropped", async () => {
    const { host, reads, push } = shard();
    open(host, 1);
    assert.deepEqual(await push(0, 2), { accepted: 1, dropped: 0 });
    assert.deepEqual(reads, ONCE);
    assert.deepEqual(await push(0, 2), { accepted: 0, dropped: 1 });
    assert.deepEqual(await push(1, 2), { accepted: 0, dropped: 1 });
    assert.deepEqual(reads, ONCE);
  });

  it("are not read when it is refused", async () => {
    const { host, reads, push } = shard();
    open(host, 2);
    await assert.rejects(push(0, 2), /term 1 is over/);
    assert.deepEqual(reads, []);
  });

  it("are not read while it waits, however often it is judged, and once when its time has come", async () => {
    const { host, reads, push, done } = shard();
    const waiting = push(0, 2);
    await settled();
    host.dispatch({ kind: "detached" });
    await settled();
    host.dispatch({ kind: "restore", term: 1, step: 0 });
    await settled();
    assert.deepEqual(reads, []);
    open(host, 1);
    assert.deepEqual(await waiting, { accepted: 1, dropped: 0 });
    assert.deepEqual(reads, ONCE);
    assert.equal(done.filter((kind) => kind === "stage").length, 1);
  });

  it("are never read when its worker goes while it waits", async () => {
    const { host, reads, push } = shard();
    const gone = new AbortController();
    const waiting = push(0, 2, { gone: gone.signal });
    await settled();
    gone.abort(new Error("The worker has gone."));
    await assert.rejects(waiting, /has gone/);
    open(host, 1);
    await settled();
    assert.deepEqual(reads, []);
  });
});
