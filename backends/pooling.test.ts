import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { backendNames, checkGradient, distinctArray, forCases } from "./gradient-check.test.helper.js";
import { pool, sliding } from "./reference.test.helper.js";

const small = (max: number) => fc.integer({ min: 1, max });
const pad = fc.constantFrom<"same" | "valid">("same", "valid");

const planes = fc
  .record({
    batch: small(2),
    size: fc.tuple(small(7), small(7)),
    channels: small(6),
    window: fc.tuple(small(3), small(3)),
    strides: fc.tuple(small(3), small(3)),
    pad,
  })
  .filter((s) => s.pad === "same" || s.size.every((size, axis) => size >= s.window[axis]));

const volumes = fc
  .record({
    batch: small(2),
    size: fc.tuple(small(4), small(4), small(4)),
    channels: small(3),
    window: fc.tuple(small(2), small(3), small(2)),
    strides: fc.tuple(small(2), small(2), small(2)),
    pad,
  })
  // tfjs's "same" over volumes skips the first points where the stride is longer than the window: nobody's rule.
  .filter((s) => s.strides.every((stride, axis) => stride <= s.window[axis]))
  .filter((s) => s.pad === "same" || s.size.every((size, axis) => size >= s.window[axis]));

interface Sizes {
  batch: number;
  size: number[];
  channels: number;
  window: number[];
  strides: number[];
  pad: "same" | "valid";
}

const axesOf = (s: Sizes) => s.size.map((size, axis) => sliding(size, s.window[axis], s.strides[axis], 1, s.pad));

const operations = {
  maxPool: (x: tf.Tensor, s: Sizes) => tf.maxPool(x as tf.Tensor4D, s.window as [2, 2], s.strides as [2, 2], s.pad),
  avgPool: (x: tf.Tensor, s: Sizes) => tf.avgPool(x as tf.Tensor4D, s.window as [2, 2], s.strides as [2, 2], s.pad),
  maxPool3d: (x: tf.Tensor, s: Sizes) =>
    tf.maxPool3d(x as tf.Tensor5D, s.window as [2, 2, 2], s.strides as [2, 2, 2], s.pad),
  avgPool3d: (x: tf.Tensor, s: Sizes) =>
    tf.avgPool3d(x as tf.Tensor5D, s.window as [2, 2, 2], s.strides as [2, 2, 2], s.pad),
};

for (const backend of backendNames) {
  describe(`pooling on ${backend}`, () => {
    for (const [name, operation] of Object.entries(operations)) {
      // Half of all inputs are negative: a maximum at or below zero has a gradient too.
      it(`${name} has the right gradient, at the image's edge and for negative maxima too`, () =>
        forCases<Sizes>(backend, name.endsWith("3d") ? volumes : planes, (s, random) => {
          const kind = name.startsWith("max") ? "max" : "mean";
          checkGradient(
            {
              inputs: [distinctArray([s.batch, ...s.size, s.channels], random)],
              operation: (x) => operation(x, s),
              reference: (x) => pool(x, s.window, axesOf(s), kind),
            },
            random,
          );
        }));
    }
  });
}
