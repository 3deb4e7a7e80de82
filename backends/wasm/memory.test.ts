import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { core as tf } from "../../tasks/tfjs/core.js";
import { openBackend } from "../index.js";
import { isOutOfMemory, OutOfMemoryError } from "../native-errors.js";
import { output, outputs } from "./training-kernels.js";

/** What the test calls of the backend, whose memory it takes without touching it. */
interface Memory {
  makeOutput(shape: number[], type: string): { dataId: object };
  disposeData(id: object): void;
  getMemoryOffset(id: object): number;
}

async function withMemory(
  test: (take: (mebibytes: number) => { address: number; free(): void }) => void,
): Promise<void> {
  const backend = await openBackend("wasm");
  try {
    const memory = tf.backend() as unknown as Memory;
    test((mebibytes) => {
      const { dataId } = memory.makeOutput([mebibytes, 2 ** 18], "float32");
      return { address: memory.getMemoryOffset(dataId), free: () => memory.disposeData(dataId) };
    });
  } finally {
    backend.dispose();
  }
}

function refused(take: () => unknown): OutOfMemoryError {
  try {
    take();
  } catch (error) {
    assert.ok(error instanceof OutOfMemoryError && isOutOfMemory(error), String(error));
    return error;
  }
  return assert.fail("there was room");
}

describe("the wasm backend's memory", () => {
  it("ends with an error, before anything is written over", async () => {
    await withMemory((take) => {
      const small = tf.tensor([1, 2, 3]);
      const large = [1_000, 1_000, 1_000].map(take);
      const full = refused(() => [take(1_000), take(1_000)]);
      assert.match(full.message, /^WebAssembly's memory has no room for 1000\.0 MiB more; it ends at 4 GiB/);
      // One MiB more than all there can be: as a number of 32 bits that is a single one.
      assert.match(refused(() => take(4_097)).message, /no room for 4097\.0 MiB/);
      for (const { free } of large) free();
      assert.deepEqual([...tf.add(small, 1).dataSync()], [2, 3, 4]);
    });
  });

  it("is given out once, up to its end", async () => {
    // Sizes by which the allocator, left to itself, comes to 4064 MiB, and then gives two tensors the same place.
    for (const last of [32, 64]) {
      await withMemory((take) => {
        const taken: [from: number, to: number][] = [];
        refused(() => {
          for (const mebibytes of [1_024, 1_024, 1_024, 512, 256, 128, 32, ...Array<number>(200).fill(last)]) {
            const { address } = take(mebibytes);
            taken.push([address, address + mebibytes * 2 ** 20]);
          }
        });
        taken.sort(([a], [b]) => a - b);
        for (const [i, [from]] of taken.entries()) assert.ok(i === 0 || from >= taken[i - 1][1], `${last} MiB`);
        assert.ok(taken.at(-1)![1] <= 2 ** 32);
      });
    }
  });

  it("is not written over where what is free is in pieces", async () => {
    await withMemory((take) => {
      const pieces = Array.from({ length: 15 }, () => take(256));
      for (const [i, { free }] of pieces.entries()) if (i % 2 === 0) free();
      refused(() => take(600));
      // Either it holds, or nothing more is computed in it.
      try {
        assert.deepEqual([...tf.add(tf.tensor([1, 2, 3]), 1).dataSync()], [2, 3, 4]);
      } catch (error) {
        assert.ok(isOutOfMemory(error), String(error));
      }
    });
  });

  it("is free again where a kernel finds no room halfway", async () => {
    await withMemory(() => {
      const wasm = tf.backend() as BackendWasm;
      const before = wasm.numDataIds();
      const fail = (): never => {
        throw new OutOfMemoryError("no room for scratch");
      };
      refused(() => output(wasm, [3], fail));
      refused(() => outputs(wasm, [[3], [2, 3]], fail));
      refused(() => outputs(wasm, [[3], [4_097, 2 ** 18]], () => undefined));
      assert.equal(wasm.numDataIds(), before);
    });
  });
});
