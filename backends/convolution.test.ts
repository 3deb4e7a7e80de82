import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { backendNames, checkGradient, forCases, randomArray } from "./gradient-check.test.helper.js";
import { convolution, depthwiseConvolution, sliding } from "./reference.test.helper.js";

const padding = fc.oneof(
  fc.constantFrom<"same" | "valid">("same", "valid"),
  fc.record({ height: fc.tuple(fc.nat(2), fc.nat(2)), width: fc.tuple(fc.nat(2), fc.nat(2)) }),
);

/** Stride or dilation is 1, as tfjs demands. */
const reach = fc
  .record({ strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), dilated: fc.boolean() })
  .map(({ strides, dilated }) =>
    dilated
      ? { strides: [1, 1] as [number, number], dilations: strides }
      : { strides, dilations: [1, 1] as [number, number] },
  );

const sizes = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    height: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 1, max: 7 }),
    channels: fc.integer({ min: 1, max: 5 }),
    filters: fc.integer({ min: 1, max: 9 }),
    filterHeight: fc.integer({ min: 1, max: 3 }),
    filterWidth: fc.integer({ min: 1, max: 3 }),
    pad: padding,
    reach,
  })
  .filter((s) => {
    const { dilations, strides } = s.reach;
    const [y, x] = axesOf(s.height, s.width, s.filterHeight, s.filterWidth, strides, dilations, s.pad);
    return y.out > 0 && x.out > 0;
  });

type Pad = typeof padding extends fc.Arbitrary<infer T> ? T : never;

function axesOf(
  height: number,
  width: number,
  filterHeight: number,
  filterWidth: number,
  strides: [number, number],
  dilations: [number, number],
  pad: Pad,
) {
  const [rows, columns] = typeof pad === "string" ? [pad, pad] : [pad.height, pad.width];
  return [
    sliding(height, filterHeight, strides[0], dilations[0], rows),
    sliding(width, filterWidth, strides[1], dilations[1], columns),
  ] as const;
}

/** tfjs's word for a padding. */
const padOf = (pad: Pad) =>
  typeof pad === "string" ? pad : ([[0, 0], pad.height, pad.width, [0, 0]] as unknown as "same");

for (const backend of backendNames) {
  describe(`convolutions on ${backend}`, () => {
    it("conv2d has the right gradients at any stride, dilation and padding", () =>
      forCases(backend, sizes, (s, random) => {
        const { strides, dilations } = s.reach;
        const axes = axesOf(s.height, s.width, s.filterHeight, s.filterWidth, strides, dilations, s.pad);
        checkGradient(
          {
            inputs: [
              randomArray([s.batch, s.height, s.width, s.channels], random),
              randomArray([s.filterHeight, s.filterWidth, s.channels, s.filters], random),
            ],
            operation: (x, filter) =>
              tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, padOf(s.pad), "NHWC", dilations),
            reference: (x, filter) => convolution(x, filter, [...axes]),
          },
          random,
        );
      }));

    it("depthwiseConv2d has the right gradients at any stride, dilation, padding and multiplier", () =>
      forCases(backend, sizes, (s, random) => {
        const { strides, dilations } = s.reach;
        const multiplier = 1 + (s.filters % 3);
        const axes = axesOf(s.height, s.width, s.filterHeight, s.filterWidth, strides, dilations, s.pad);
        checkGradient(
          {
            inputs: [
              randomArray([s.batch, s.height, s.width, s.channels], random),
              randomArray([s.filterHeight, s.filterWidth, s.channels, multiplier], random),
            ],
            operation: (x, filter) =>
              tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, padOf(s.pad), "NHWC", dilations),
            reference: (x, filter) => depthwiseConvolution(x, filter, [axes[0], axes[1]]),
          },
          random,
        );
      }));
  });
}
