import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { callGradient } from "../call-gradient.test.helper.js";
import { openBackend, probeBackend } from "../index.js";
import { layerCases } from "../layer-cases.test.helper.js";
import { settings } from "../settings.test.helper.js";
import type { Binding, NativeBackend } from "./native-package.js";

const { available, reason } = await probeBackend("tfjs-node", settings);

/**
 * What TensorFlow refuses on a GPU where operations are deterministic, as its sources say: "Determinism is not yet
 * supported in GPU implementation of …", "A deterministic GPU implementation of … is not currently available".
 */
const REFUSED = new Set([
  ...["Bincount", "DenseBincount", "ResizeNearestNeighborGrad", "FusedBatchNormGradV3", "AdjustContrastv2"],
  ...["FakeQuantWithMinMaxVarsGradient", "SparseTensorDenseMatMul", "ScatterUpdate"],
]);

/** Calls `compute` with a backend that takes its processor for a GPU. @returns the operations that were run. */
function asOnGpu<T>(compute: () => T): { result: T; operations: Set<string> } {
  const native = tf.backend() as NativeBackend;
  const { binding } = native;
  const operations = new Set<string>();
  const own: Partial<Binding> = {
    isUsingGpuDevice: () => true,
    executeOp(name, ...rest) {
      operations.add(name);
      return binding.executeOp(name, ...rest);
    },
  };
  // The binding's own properties can't be replaced.
  native.binding = new Proxy({} as Binding, { get: (_, name: keyof Binding) => own[name] ?? binding[name] });
  try {
    return { result: compute(), operations };
  } finally {
    native.binding = binding;
  }
}

describe("on a GPU", { skip: !available && reason }, () => {
  it("no layer's training needs an operation of which TensorFlow has no deterministic one", async () => {
    await openBackend("tfjs-node", settings);
    const { operations } = asOnGpu(() => layerCases.forEach(callGradient));
    assert.ok(operations.size > 60, `only ${operations.size} operations`);
    assert.deepEqual(
      [...operations].filter((name) => REFUSED.has(name)),
      [],
    );
  });

  for (const shape of [[4, 3], [4]]) {
    for (const [binary, weighted] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ]) {
      const what = `${binary ? "which numbers occur" : "how often each occurs"}${weighted ? ", weighted" : ""}`;
      it(`denseBincount finds in [${shape}] numbers ${what}, to the bit as TensorFlow's own`, async () => {
        await openBackend("tfjs-node", settings);
        tf.tidy(() => {
          const tokens = [3, 0, 3, 1, 1, 1, 4, 2, 0, 0, 0, 4].slice(0, tf.util.sizeFromShape(shape));
          const x: tf.Tensor = tf.tensor(Int32Array.from(tokens), shape, "int32");
          const weights: tf.Tensor = weighted ? tf.tensor(tokens.map(Math.sin), shape) : tf.tensor([]);
          const count = () => tf.denseBincount(x as tf.Tensor2D, weights as tf.Tensor2D, 5, binary);
          const { result, operations } = asOnGpu(count);
          assert.ok(!operations.has("DenseBincount"));
          const expected = count();
          assert.deepEqual(result.shape, expected.shape);
          assert.deepEqual([...result.dataSync()], [...expected.dataSync()]);
        });
      });
    }
  }

  it("the gradient of upsampling adds up each point's copies", async () => {
    await openBackend("tfjs-node", settings);
    tf.tidy(() => {
      const x = tf.zeros([2, 2, 3, 2]) as tf.Tensor4D;
      const dy = tf.tensor(
        Float32Array.from({ length: 2 * 6 * 6 * 2 }, (_, i) => Math.sin(i)),
        [2, 6, 6, 2],
      );
      const gradient = () => tf.grad((x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [6, 6]))(x, dy);
      const { result, operations } = asOnGpu(gradient);
      assert.ok(!operations.has("ResizeNearestNeighborGrad"));
      const found = result.dataSync();
      const values = dy.dataSync();
      for (let i = 0; i < found.length; i++) {
        const [n, row, column, channel] = [Math.floor(i / 12), Math.floor(i / 6) % 2, Math.floor(i / 2) % 3, i % 2];
        let sum = 0;
        for (let a = 0; a < 3; a++) {
          for (let b = 0; b < 2; b++) sum += values[((n * 6 + row * 3 + a) * 6 + column * 2 + b) * 2 + channel];
        }
        assert.ok(Math.abs(found[i] - sum) < 1e-6, `element ${i} is ${found[i]}, should be ${sum}`);
      }
    });
  });
});

describe("an operation that TensorFlow refuses", { skip: !available && reason }, () => {
  it("is named, with TensorFlow's reason, in one line", async () => {
    await openBackend("tfjs-node", settings);
    const native = tf.backend() as NativeBackend;
    const { TF_ATTR_TYPE: type, TF_FLOAT: value } = native.binding;
    const [a, b] = [tf.ones([2, 3]), tf.ones([2, 3])];
    assert.throws(() => native.executeSingleOutput("MatMul", [{ name: "T", type, value }], [a, b]), {
      message: /^TensorFlow can't compute the operation MatMul: Matrix size-incompatible: [^\n]*\[2,3\][^\n]*$/,
    });
    assert.throws(() => native.executeMultipleOutputs("NoSuchOperation", [], [a], 1), {
      message: /^TensorFlow can't compute the operation NoSuchOperation: [^\n]*NoSuchOperation[^\n]*$/,
    });
  });
});
