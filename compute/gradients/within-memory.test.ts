import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { core as tf } from "../../tasks/tfjs/core.js";
import { TooLargeError } from "../errors.js";
import { batchOf, openGradients } from "./open-gradients.test.helper.js";
import { withinMemory } from "./within-memory.js";

/** As the package's binding says that a GPU is full. */
const GPU_IS_FULL =
  "Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[4096,512] and type float on " +
  "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc";

/** What a device says of a batch that has memory for `room` samples. */
function told(samples: number, room: number, field: "microBatchSize" | "evaluationBatchSize" = "microBatchSize") {
  const seen: number[] = [];
  try {
    withinMemory(field, "the backend tfjs-node-gpu", batchOf(7, samples), ({ samples: part, inputs, labels }) => {
      assert.deepEqual([inputs.length, labels.length], [16 * part, part], "a part has the rows of its samples");
      seen.push(part);
      if (part > room) throw new Error(GPU_IS_FULL);
    });
  } catch (error) {
    return { error: error as Error, seen };
  }
  return assert.fail("it was computed");
}

describe("withinMemory()", () => {
  it("says in one sentence what does not fit, what does, and what to do", () => {
    const { error, seen } = told(4_096, 600);
    assert.ok(error instanceof TooLargeError);
    assert.equal(error.code, "exhausted");
    assert.equal(
      error.message,
      "microBatchSize is 4096, but the backend tfjs-node-gpu has not enough memory for this many samples at once (OOM when allocating " +
        "tensor with shape[4096,512] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc); 512 fit: " +
        "set microBatchSize to 512 and microBatchesPerStep to 8 times as many, or use a device with more memory.",
    );
    assert.deepEqual(seen, [4_096, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024]);
    assert.match(
      told(1_000, 0).error.message,
      /; not even one fits: take a smaller model, or use a device with more memory\.$/,
    );
    assert.match(
      told(500, 130, "evaluationBatchSize").error.message,
      /^evaluationBatchSize is 500, .*; 125 fit: set evaluationBatchSize to 125, or use/,
    );
  });

  it("says the same of what another thread computes, once that has failed", async () => {
    const seen: number[] = [];
    const fitting = ({ samples }: { samples: number }): void => {
      seen.push(samples);
      if (samples > 2) throw new Error(GPU_IS_FULL);
    };
    const compute = () => Promise.reject<number>(new Error(GPU_IS_FULL));
    await assert.rejects(
      withinMemory("microBatchSize", "it", batchOf(7, 16), compute, fitting),
      (error) => error instanceof TooLargeError && /; 2 fit: set microBatchSize to 2 and/.test(error.message),
    );
    assert.deepEqual(seen, [1, 2, 4]);
    const later = async () => 5;
    assert.equal(await withinMemory("microBatchSize", "it", batchOf(7, 16), later, fitting), 5);
  });

  it("searches for nothing after an error of another kind", () => {
    let calls = 0;
    const other = new Error("Invalid TF_Status: 12\nMessage: There is no deterministic kernel.");
    const compute = (): never => {
      calls++;
      throw other;
    };
    assert.throws(() => withinMemory("microBatchSize", "it", batchOf(1), compute), other);
    assert.equal(calls, 1);
  });
});

describe("a gradient", () => {
  const layers = [
    { layer: "Dense", units: 4_096, activation: "relu", inputShape: [4] },
    { layer: "Dense", units: 3 },
  ];
  const weights = 4 * 4_096 + 4_096 + 3 * 4_096 + 3;

  /** Gradients in a separate memory, all of which but 100 MiB is taken, in pieces that are never touched. */
  async function openFull() {
    if (tf.findBackend("wasm") !== null) tf.removeBackend("wasm");
    const opened = await openGradients({ layers });
    const wasm = tf.backend() as unknown as { makeOutput(shape: number[], type: string): unknown };
    for (const mebibytes of [1_024, 1_024, 1_024, 512, 256, 64, 24, 4]) {
      wasm.makeOutput([mebibytes, 2 ** 18], "float32");
    }
    return opened;
  }

  it("finds how many samples fit in what is left of WebAssembly's memory, and computes them", async () => {
    let told = "";
    const { gradients, gradientOf } = await openFull();
    try {
      gradientOf(batchOf(1, 4_096));
    } catch (error) {
      assert.ok(error instanceof TooLargeError, String(error));
      told = error.message;
    }
    const fit = Number(
      /^microBatchSize is 4096, but the backend wasm has not enough memory .*; (\d+) fit: /.exec(told)?.[1],
    );
    assert.ok(fit >= 1 && fit < 4_096, told);
    assert.throws(() => gradients.evaluate(batchOf(4, 65_536)), {
      message:
        /^evaluationBatchSize is 65536, but the backend wasm has not enough memory for this many samples at once \(/,
    });
    assert.equal((await openFull()).gradientOf(batchOf(2, fit)).g.length, weights);
    const other = await openFull();
    assert.throws(() => other.gradientOf(batchOf(3, 2 * fit)), TooLargeError);
  });
});
