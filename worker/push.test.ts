import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createWorkerMemory } from "../compute/index.js";
import { createLayout } from "../shared/layout/index.js";
import { frameOfSums } from "../shared/wire/index.js";
import type { StepLease } from "./core/index.js";
import { pushToShard } from "./push.js";
import type { PushCall, PushCalls } from "./push-calls.js";
import type { ShardLink } from "./shard-link.js";
import { createWireForms } from "./wire-forms.js";

const CONNECTION = { encrypted: true };

describe("pushToShard()", () => {
  it("gives back the memory of every frame when one can't be written", async () => {
    const layout = createLayout([{ name: "kernel", shape: [2_000, 1_000], kind: "parameter", decay: true }]);
    const memory = createWorkerMemory({ layout, threads: 1, leaves: 4 });
    const [slot] = await memory.takeSlots(1);
    const sums = memory.sums(slot, "s1", layout.chunks[0]);
    /** Where the next two frames of such a chunk are, of which more are never in use at once. */
    const places = (): number[] => {
      const frames = [1, 2].map(() => frameOfSums({ lo: 0, hi: 1, chunk: 0, sums }, CONNECTION));
      for (const { release } of frames) release();
      return frames.map(({ frame }) => frame.byteOffset).sort();
    };
    const before = places();
    const broken = new Error("The line is dead.");
    for (const fails of [1, 2, 3]) {
      let frames = 0;
      const call: Partial<PushCall> = {
        connection: CONNECTION as PushCall["connection"],
        writer: {
          async write(message: object) {
            if ("frame" in message && ++frames === fails) throw broken;
          },
          end() {},
        } as unknown as PushCall["writer"],
        answer: Promise.reject(broken),
        cancel() {},
      };
      call.answer!.catch(() => {});
      const push = {
        workerId: "w-1",
        seal: new Uint8Array(32),
        memory,
        forms: createWireForms(memory, "float32"),
        lease: { lease: 1, term: 1, step: 0, lo: 0, hi: 1, mac: new Uint8Array(32) } as unknown as StepLease,
        computed: { nodes: [{ lo: 0, hi: 1, slot }], losses: new Float64Array(1) },
      };
      const link = { firstChunk: 0, endChunk: layout.chunks.length, name: "shard 0" } as ShardLink;
      const calls: Partial<PushCalls> = { take: async () => call as PushCall };
      await assert.rejects(pushToShard(push, link, calls as PushCalls, new AbortController().signal), broken);
      assert.equal(frames, fails);
      assert.deepEqual(places(), before);
    }
  });
});
