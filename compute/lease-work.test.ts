import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLayout } from "../shared/layout/index.js";
import type { DecodedMicroBatch, GradientSums, SampleBatch } from "./gradients/index.js";
import { createLeaseWork, type LeaseWork } from "./lease-work.js";
import { attachMemory, createWorkerMemory } from "./memory.js";
import type { LeaseRequest } from "./protocol.js";
import { createSums } from "./sums.js";

const layout = createLayout([{ name: "w", kind: "parameter", shape: [2], decay: false }]);

/** Micro-batches 10, 11, 12. */
const REQUEST: LeaseRequest = {
  lo: 0,
  hi: 3,
  whole: { lo: 0, hi: 3 },
  microBatches: 3,
  firstMicroBatch: 10,
  apart: false,
  coefficients: undefined,
  slots: [0, 1, 2],
};

interface Started {
  readonly work: LeaseWork;
  /** What happened, in order. */
  readonly log: string[];
  give(number: number): void;
  /** Ends the call that another thread makes. */
  settle(error?: Error): Promise<void>;
}

/** A thread's work on leases whose micro-batches another thread computes. */
async function start(): Promise<Started> {
  const log: string[] = [];
  let waiting: { readonly number: number; resolve(loss: number): void; reject(error: Error): void } | undefined;
  const worker = createWorkerMemory({ layout, threads: 1, leaves: 4 });
  assert.deepEqual([...(await worker.takeSlots(3))].sort(), [...REQUEST.slots]);
  const memory = attachMemory(worker);
  const sums: GradientSums = {
    smallestCoefficient: 0,
    perform: () => {},
    read: async () => true,
    compute({ number }) {
      assert.equal(waiting, undefined, "one at a time");
      log.push(`computes ${number}`);
      return new Promise((resolve, reject) => {
        waiting = { number, resolve, reject };
      });
    },
  };
  const work = createLeaseWork({
    thread: 0,
    memory,
    sums: createSums(memory, 0),
    gradients: {
      decode({ number }) {
        log.push(`decodes ${number}`);
        return { number } as DecodedMicroBatch;
      },
      compute: () => assert.fail("the host computes"),
      within: (_, body) => body(),
      sums: () => sums,
    },
    computed: (number) => void log.push(`computed ${number}`),
    ended: (folded) => void log.push(folded === null ? "given up" : `ended with ${folded.losses}`),
    failed: (error) => void log.push(`failed: ${(error as Error).message}`),
  });
  return {
    work,
    log,
    give: (number) => work.give({ number } as SampleBatch),
    async settle(error) {
      const { number, resolve, reject } = waiting!;
      waiting = undefined;
      if (error === undefined) resolve(number / 10);
      else reject(error);
      await new Promise(setImmediate);
    },
  };
}

describe("a thread's lease, where another thread computes", () => {
  it("decodes the next micro-batch while one is computed, and computes them in order", async () => {
    const { work, log, give, settle } = await start();
    give(10);
    work.begin(REQUEST);
    give(11);
    give(12);
    assert.deepEqual(log.splice(0), ["decodes 10", "computes 10", "decodes 11", "decodes 12"]);
    await settle();
    assert.deepEqual(log.splice(0), ["computed 10", "computes 11"]);
    await settle();
    // From the next lease.
    give(13);
    await settle();
    assert.deepEqual(log, ["computed 11", "computes 12", "decodes 13", "ended with 1,1.1,1.2"]);
  });

  it("gives a lease up when the call has returned, and starts the next then", async () => {
    const { work, log, give, settle } = await start();
    work.begin(REQUEST);
    give(10);
    give(11);
    work.abandon();
    work.abandon();
    assert.deepEqual(log.splice(0), ["decodes 10", "computes 10", "decodes 11"]);
    await settle();
    assert.deepEqual(log.splice(0), ["given up"]);
    work.begin({ ...REQUEST, firstMicroBatch: 20 });
    give(20);
    assert.deepEqual(log, ["decodes 20", "computes 20"]);
  });

  it("fails with the call's error, after which another can be computed", async () => {
    const { work, log, give, settle } = await start();
    work.begin(REQUEST);
    give(10);
    await settle(new Error("no kernel"));
    work.begin(REQUEST);
    give(10);
    assert.deepEqual(log, ["decodes 10", "computes 10", "failed: no kernel", "decodes 10", "computes 10"]);
  });

  it("fails once if it is to be given up while a call fails", async () => {
    const { work, log, give, settle } = await start();
    work.begin(REQUEST);
    give(10);
    give(11);
    work.abandon();
    await settle(new Error("no kernel"));
    work.abandon();
    assert.deepEqual(log, ["decodes 10", "computes 10", "decodes 11", "failed: no kernel"]);
  });
});
