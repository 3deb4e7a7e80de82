import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IsobatchError } from "../shared/errors.js";
import { createLayout, type Layout } from "../shared/layout/index.js";
import {
  createWorkerMemory,
  gradientAddresses,
  planMemory,
  sumAddresses,
  viewElements,
  weightsAddresses,
} from "./memory.js";

const LAYOUT = createLayout([
  { name: "kernel", shape: [50, 101], kind: "parameter", decay: true },
  { name: "moving_mean", shape: [101], kind: "tail", decay: false, momentum: 0.9 },
  { name: "embedding", shape: [7], kind: "frozen", decay: false },
]);
/** The same with the chunks dealt to three segments, as only a model of over 2^24 parameters has them. */
const CUT: Layout = {
  ...LAYOUT,
  chunks: LAYOUT.chunks.map((chunk) => ({ ...chunk, segment: Math.min(chunk.index, 2) })),
  segments: [
    { index: 0, offset: 0, length: 4096 },
    { index: 1, offset: 4096, length: 5050 - 4096 },
    { index: 2, offset: 5050, length: 108 },
  ],
};

describe("planMemory()", () => {
  for (const [name, layout] of Object.entries({ "one segment": LAYOUT, "three segments": CUT })) {
    it(`gives θ, every gradient and every sum its own bytes, with ${name}`, () => {
      const plan = planMemory(layout, 3);
      for (const segment of plan.segments) {
        const i = plan.segments.indexOf(segment);
        const arrays = [
          [weightsAddresses(plan)[i], segment.length],
          ...[0, 1, 2].map((thread) => [gradientAddresses(plan, thread)[i], segment.averaged]),
          ...[0, 1, 2, 3].flatMap((slot) => [
            [sumAddresses(plan, slot, "s1")[i], segment.averaged],
            [sumAddresses(plan, slot, "s2")[i], segment.parameters],
          ]),
        ];
        arrays.sort((a, b) => a[0] - b[0]);
        for (const [j, [at, length]] of arrays.entries()) {
          assert.equal(at % 64, 0);
          if (j > 0 && length > 0) assert.ok(at >= arrays[j - 1][0] + arrays[j - 1][1] * 4);
        }
      }
    });
  }

  it("leaves the frozen out of gradients, and the tail out of S2", () => {
    const totals = { length: 0, averaged: 0, parameters: 0 };
    for (const segment of planMemory(CUT, 1).segments) {
      totals.length += segment.length;
      totals.averaged += segment.averaged;
      totals.parameters += segment.parameters;
    }
    assert.deepEqual(totals, { length: 5050 + 101 + 7, averaged: 5050 + 101, parameters: 5050 });
  });
});

describe("createWorkerMemory()", () => {
  it("shows chunks of θ and of sums as the kernels see them, also after it has grown", async () => {
    const memory = createWorkerMemory({ layout: CUT, threads: 1, leaves: 64 });
    const chunk = CUT.chunks[1];
    memory.weights(chunk).writeFloatLE(1.5, 8);
    const slots = await memory.takeSlots(20);
    const elements = (addresses: readonly number[]): Float32Array =>
      viewElements(memory, addresses, 1, chunk.offset, chunk.length);
    assert.equal(elements(weightsAddresses(memory.plan))[2], 1.5);
    elements(sumAddresses(memory.plan, slots[19], "s2"))[3] = 2.5;
    assert.equal(memory.sums(slots[19], "s2", chunk).readFloatLE(12), 2.5);
    assert.equal(memory.sums(slots[19], "s2", chunk).length, chunk.length * 4);
  });

  it("waits for slots that are taken once the bound is reached, first come first served", async () => {
    const memory = createWorkerMemory({ layout: LAYOUT, threads: 1, leaves: 1 });
    const [first, second] = await memory.takeSlots(2);
    const order: string[] = [];
    const two = memory.takeSlots(2).then((slots) => order.push(`two: ${slots}`));
    const one = memory.takeSlots(1).then((slots) => order.push(`one: ${slots}`));
    memory.releaseSlots([second]);
    assert.equal(memory.slotsTaken, 1);
    memory.releaseSlots([first]);
    await two;
    memory.releaseSlots([second]);
    await one;
    assert.deepEqual(order, [`two: ${first},${second}`, `one: ${second}`]);
  });

  it("gives up waiting for slots when that is no longer wanted, and serves those behind", async () => {
    const memory = createWorkerMemory({ layout: LAYOUT, threads: 1, leaves: 1 });
    const [first] = await memory.takeSlots(2);
    const reason = new Error("no longer wanted");
    const stop = new AbortController();
    const given = memory.takeSlots(2, stop.signal);
    const behind = memory.takeSlots(1);
    memory.releaseSlots([first]);
    stop.abort(reason);
    await assert.rejects(given, reason);
    assert.deepEqual(await behind, [first]);
    await assert.rejects(memory.takeSlots(1, stop.signal), reason);
    assert.equal(memory.slotsTaken, 2);
  });

  it("refuses what can never fit, and says what to do", async () => {
    const memory = createWorkerMemory({ layout: LAYOUT, threads: 1, leaves: 4 });
    await assert.rejects(memory.takeSlots(11), (error: IsobatchError) => {
      assert.equal(error.code, "exhausted");
      assert.match(error.message, /needs 11 sums .* room for 10; .*--compute-threads/);
      return true;
    });
  });
});
