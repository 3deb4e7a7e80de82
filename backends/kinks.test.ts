import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { callGradient } from "./call-gradient.test.helper.js";
import { type BackendName, openBackend, probeBackend } from "./index.js";
import { kinkCases, kinkProblem, measureKink } from "./kinks.test.helper.js";
import { layerCases } from "./layer-cases.test.helper.js";
import { settings } from "./settings.test.helper.js";

/** Operations whose gradients add up and multiply what was given: nothing in them is compared, chosen or divided. */
const PLAIN = new Set<string>([
  ...[tf.Add, tf.Sub, tf.Neg, tf.Multiply, tf.Square, tf.Sum, tf.Mean, tf.BatchMatMul, tf.Sigmoid, tf.Tanh],
  ...[tf.Conv2D, tf.Conv2DBackpropInput, tf.Conv3D, tf.Conv3DBackpropInputV2, tf.DepthwiseConv2dNative],
  ...[tf.AvgPool, tf.AvgPool3D, tf.ResizeBilinear, tf.ResizeNearestNeighbor],
  ...[tf.Cast, tf.Concat, tf.ExpandDims, tf.Identity, tf.OnesLike, tf.Pack, tf.PadV2, tf.Reshape, tf.Reverse, tf.Slice],
  ...[tf.SplitV, tf.Tile, tf.Transpose, tf.Unpack],
]);

/** The operations whose gradients are computed meanwhile. */
function differentiated(compute: () => void): Set<string> {
  const found = new Set<string>();
  const kernels = Object.values(tf).filter((name) => typeof name === "string");
  const originals = kernels.flatMap((kernel) => {
    const gradient = tf.getGradient(kernel);
    if (gradient === undefined) return [];
    const { gradFunc } = gradient;
    gradient.gradFunc = (...given) => {
      found.add(kernel);
      return gradFunc(...given);
    };
    return [() => Object.assign(gradient, { gradFunc })];
  });
  try {
    compute();
  } finally {
    for (const restore of originals) restore();
  }
  return found;
}

describe("the operations that training differentiates", () => {
  it("are plain, or tested below at their kinks and where elements are equal", async () => {
    await openBackend("wasm");
    const trained = differentiated(() => layerCases.forEach(callGradient));
    const asked = differentiated(() => kinkCases.forEach(measureKink));
    assert.ok(trained.size > 50, `only ${trained.size} operations`);
    assert.deepEqual(
      [...trained].filter((kernel) => !PLAIN.has(kernel) && !asked.has(kernel)),
      [],
    );
  });
});

const native = await probeBackend("tfjs-node", settings);
const suites: [BackendName, string | false][] = [
  ["wasm", false],
  ["cpu", false],
  ["tfjs-node", !native.available && native.reason],
];
for (const [backend, skip] of suites) {
  describe(`at kinks, and where elements are equal, on ${backend}`, { skip }, () => {
    for (const example of kinkCases) {
      it(`${example.name} has Keras' gradient`, async () => {
        await openBackend(backend, settings);
        assert.equal(kinkProblem(example), undefined);
      });
    }
  });
}
