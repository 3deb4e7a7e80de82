import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeLimit, limitGpuMemory } from "./gpu-memory.js";

describe("encodeLimit()", () => {
  it("is what TensorFlow writes itself", () => {
    // c = tf.compat.v1.ConfigProto()
    // c.gpu_options.experimental.virtual_devices.add().memory_limit_mb.append(6144)
    // c.SerializeToString().hex()
    assert.equal(Buffer.from(encodeLimit(6_144)).toString("hex"), "320a4a080a060a040000c045");
    assert.equal(Buffer.from(encodeLimit(1_536)).toString("hex"), "320a4a080a060a040000c044");
  });
});

describe("limitGpuMemory()", () => {
  it("names what an older installation lacks", () => {
    assert.throws(() => limitGpuMemory(undefined, 6_144), {
      code: "unavailable",
      message: /ISOBATCH_GPU_MEMORY .* run isobatch tensorflow install --cuda again\.$/,
    });
  });
});
