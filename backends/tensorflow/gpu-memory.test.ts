import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { boundGpuMemory, encodeLimit, gpuMemoryLimit } from "./gpu-memory.js";

describe("gpuMemoryLimit()", () => {
  it("is in GiB, and none unless it is set", () => {
    assert.equal(gpuMemoryLimit(undefined), undefined);
    assert.equal(gpuMemoryLimit(""), undefined);
    assert.equal(gpuMemoryLimit("6"), 6_144);
    assert.equal(gpuMemoryLimit("1.5"), 1_536);
  });

  it("is refused in one sentence where it is not a number in range", () => {
    for (const value of ["0", "0.2", "-1", "1025", "6GiB", "half"]) {
      assert.throws(() => gpuMemoryLimit(value), {
        code: "invalid_input",
        message: `ISOBATCH_GPU_MEMORY is "${value}"; it takes GiB of each GPU, from 0.25 to 1024.`,
      });
    }
  });
});

describe("encodeLimit()", () => {
  it("is what TensorFlow writes itself", () => {
    // c = tf.compat.v1.ConfigProto()
    // c.gpu_options.experimental.virtual_devices.add().memory_limit_mb.append(6144)
    // c.SerializeToString().hex()
    assert.equal(Buffer.from(encodeLimit(6_144)).toString("hex"), "320a4a080a060a040000c045");
    assert.equal(Buffer.from(encodeLimit(1_536)).toString("hex"), "320a4a080a060a040000c044");
  });
});

describe("boundGpuMemory()", () => {
  it("names what an older installation lacks", () => {
    assert.throws(() => boundGpuMemory(undefined, 6_144), {
      code: "unavailable",
      message: /ISOBATCH_GPU_MEMORY .* run isobatch tensorflow install --cuda again\.$/,
    });
  });
});
