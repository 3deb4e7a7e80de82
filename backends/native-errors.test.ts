import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isOutOfMemory } from "./native-errors.js";

const thrownBy = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
};

describe("isOutOfMemory()", () => {
  it("knows what TensorFlow, CUDA's libraries and C++ say, also as the cause of another error", () => {
    const onGpu =
      "OOM when allocating tensor with shape[128,64,32,32] and type float on /job:localhost/replica:0/task:0/device:GPU:0 " +
      "by allocator GPU_0_bfc [Op:Conv2D]";
    const messages = [
      `Invalid TF_Status: 8\nMessage: ${onGpu}`,
      "Invalid TF_Status: 8\nMessage: whatever",
      `Graph execution error: ${onGpu}`,
      "Dst tensor is not initialized.",
      "CUDNN_STATUS_ALLOC_FAILED in tensorflow/stream_executor/cuda/cuda_dnn.cc(4369)",
      "failed to create cublas handle: CUBLAS_STATUS_ALLOC_FAILED",
      "failed to alloc 4294967296 bytes: CUDA_ERROR_OUT_OF_MEMORY: out of memory",
      "Failed to allocate 268435456 bytes for new constant",
      "std::bad_alloc",
    ];
    for (const message of messages) {
      assert.ok(isOutOfMemory(new Error(message)), message);
      assert.ok(isOutOfMemory(new Error("TensorFlow can't compute", { cause: new Error(message) })), message);
    }
  });

  it("takes nothing else for it", () => {
    for (const error of [
      new Error("Invalid TF_Status: 12\nMessage: There is no deterministic kernel."),
      new Error("Invalid TF_Status: 3\nMessage: Matrix size-incompatible"),
      new RangeError("Invalid typed array length: -1"),
      new RangeError("Maximum call stack size exceeded"),
      new TypeError("Array buffer allocation failed"),
      "OOM when allocating",
      undefined,
    ]) {
      assert.ok(!isOutOfMemory(error), String(error));
    }
  });

  it("knows JavaScript's arrays that are too large, as they are", () => {
    assert.ok(isOutOfMemory(thrownBy(() => new Float32Array(2 ** 40))));
    assert.ok(isOutOfMemory(thrownBy(() => new ArrayBuffer(2 ** 50))));
    assert.ok(!isOutOfMemory(thrownBy(() => new Array(-1))));
  });
});
