import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import {
  type Array64,
  array64,
  backendNames,
  checkGradient,
  distinctArray,
  forCases,
  randomArray,
} from "./gradient-check.test.helper.js";
import { openBackend } from "./index.js";
import { build, convolution, forIndices, position, sliding } from "./reference.test.helper.js";
import { settings } from "./settings.test.helper.js";

const small = (max: number) => fc.integer({ min: 1, max });
const shapes = fc.array(small(5), { minLength: 1, maxLength: 4 });
const image = { batch: small(3), height: small(5), width: small(5), channels: small(6) };

interface Image {
  batch: number;
  height: number;
  width: number;
  channels: number;
}
const shapeOf = ({ batch, height, width, channels }: Image) => [batch, height, width, channels];
const at = (x: Array64, index: number[]): number => x.values[position(x.shape, index)];

/** Sums over `axes`. */
function sum(x: Array64, axes: number[], keepDims: boolean): Array64 {
  const kept = array64(x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)));
  forIndices(x.shape, (index, i) => {
    const target = index.map((place, axis) => (axes.includes(axis) ? 0 : place));
    kept.values[position(kept.shape, target)] += x.values[i];
  });
  const shape = keepDims ? kept.shape : x.shape.filter((_, axis) => !axes.includes(axis));
  return { shape, values: kept.values };
}

for (const backend of backendNames) {
  describe(`operations on ${backend}`, () => {
    it("sum and mean have the right gradients over any axes", () =>
      forCases(
        backend,
        fc.record({ shape: shapes, drop: fc.nat(15), keep: fc.boolean(), divide: fc.boolean() }),
        (s, random) => {
          const axes = s.shape.map((_, axis) => axis).filter((axis) => s.drop & (1 << axis));
          if (axes.length === 0) return;
          const count = s.divide ? axes.reduce((product, axis) => product * s.shape[axis], 1) : 1;
          checkGradient(
            {
              inputs: [randomArray(s.shape, random)],
              operation: (x) => (s.divide ? tf.mean(x, axes, s.keep) : tf.sum(x, axes, s.keep)),
              reference: (x) => {
                const { shape, values } = sum(x, axes, s.keep);
                return array64(
                  shape,
                  values.map((value) => value / count),
                );
              },
            },
            random,
          );
        },
        100,
      ));

    it("max and min over any axes share their gradient among equal elements", () =>
      forCases(
        backend,
        fc.record({ shape: shapes, drop: fc.nat(15), keep: fc.boolean(), least: fc.boolean() }),
        (s, random) => {
          const axes = s.shape.map((_, axis) => axis).filter((axis) => s.drop & (1 << axis));
          if (axes.length === 0) return;
          const x = build(s.shape, () => random.below(3) - 1);
          const places = sum(x, axes, true);
          const place = (index: number[]): number =>
            position(
              places.shape,
              index.map((i, axis) => (axes.includes(axis) ? 0 : i)),
            );
          const extremes = new Map<number, { value: number; count: number }>();
          forIndices(s.shape, (index, i) => {
            const value = s.least ? -x.values[i] : x.values[i];
            const before = extremes.get(place(index));
            if (before !== undefined && before.value >= value) before.count += before.value === value ? 1 : 0;
            else extremes.set(place(index), { value, count: 1 });
          });
          const dy = randomArray(places.shape, random).values;
          const found = tf.tidy(() => {
            const given = tf.tensor(Float32Array.from(x.values), s.shape);
            const compute = (x: tf.Tensor) => (s.least ? tf.min(x, axes, s.keep) : tf.max(x, axes, s.keep));
            return tf
              .grad(compute)(given, tf.tensor(Float32Array.from(dy), compute(given).shape))
              .dataSync();
          });
          forIndices(s.shape, (index, i) => {
            const { value, count } = extremes.get(place(index))!;
            const expected = (s.least ? -x.values[i] : x.values[i]) === value ? dy[place(index)] / count : 0;
            assert.ok(Math.abs(found[i] - expected) < 1e-6, `element ${i} is ${found[i]}, should be ${expected}`);
          });
        },
      ));

    it("tile has the right gradient along any axes", () =>
      forCases(
        backend,
        fc.array(fc.record({ size: small(3), copies: small(3) }), { minLength: 1, maxLength: 4 }),
        (axes, random) => {
          const size = axes.map((axis) => axis.size);
          checkGradient(
            {
              inputs: [randomArray(size, random)],
              operation: (x) =>
                tf.tile(
                  x,
                  axes.map(({ copies }) => copies),
                ),
              reference: (x) =>
                build(
                  axes.map((axis) => axis.size * axis.copies),
                  (index) =>
                    at(
                      x,
                      index.map((i, axis) => i % size[axis]),
                    ),
                ),
            },
            random,
          );
        },
      ));

    it("sum over leading axes adds up thousands of rows without losing digits", () =>
      forCases(
        backend,
        fc.record({ rows: fc.integer({ min: 250, max: 3000 }), columns: small(40) }),
        (s, random) => {
          const x = randomArray([s.rows, s.columns], random);
          const found = tf.tidy(() => tf.sum(tf.tensor(Float32Array.from(x.values), x.shape), 0).dataSync());
          const expected = sum(x, [0], false).values;
          const worst = Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
          assert.ok(worst < 1e-4, `off by ${worst}`);
        },
        20,
      ));

    it("relu has the right gradient", () =>
      forCases(backend, shapes, (shape, random) => {
        checkGradient(
          {
            inputs: [distinctArray(shape, random)],
            operation: (x) => tf.relu(x),
            reference: (x) =>
              array64(
                x.shape,
                x.values.map((value) => Math.max(0, value)),
              ),
          },
          random,
        );
      }));

    it("relu passes a gradient on where its output is not a number, so that a broken run shows", async () => {
      await openBackend(backend, settings);
      const dx = tf.tidy(() =>
        tf
          .grad((x) => tf.sum(tf.relu(x)))(tf.tensor([Number.NaN, -1, 2, 0, 3]))
          .dataSync(),
      );
      assert.deepEqual([...dx], [1, 0, 1, 0, 1]);
    });

    it("gather adds up the gradients of rows taken several times", () =>
      forCases(
        backend,
        fc.record({ rows: small(6), columns: small(7), indices: fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }) }),
        (s, random) => {
          const taken = s.indices.map((index) => index % s.rows);
          checkGradient(
            {
              inputs: [randomArray([s.rows, s.columns], random)],
              operation: (x) => tf.gather(x, tf.tensor1d(taken, "int32")),
              reference: (x) => build([taken.length, s.columns], ([i, j]) => at(x, [taken[i], j])),
            },
            random,
          );
        },
      ));

    it("resizeNearestNeighbor has the right gradient", () =>
      forCases(
        backend,
        fc.record({ ...image, outHeight: small(8), outWidth: small(8), alignCorners: fc.boolean() }),
        (s, random) => {
          const source = (size: number, out: number, i: number): number => {
            const scale = s.alignCorners && out > 1 ? (size - 1) / (out - 1) : size / out;
            return Math.min(size - 1, s.alignCorners ? Math.round(i * scale) : Math.floor(i * scale));
          };
          checkGradient(
            {
              inputs: [randomArray(shapeOf(s), random)],
              operation: (x) =>
                tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [s.outHeight, s.outWidth], s.alignCorners),
              reference: (x) =>
                build([s.batch, s.outHeight, s.outWidth, s.channels], ([n, i, j, c]) =>
                  at(x, [n, source(s.height, s.outHeight, i), source(s.width, s.outWidth, j), c]),
                ),
            },
            random,
          );
        },
      ));

    it("resizeBilinear has the right gradient", () =>
      forCases(
        backend,
        fc.record({ ...image, outHeight: small(8), outWidth: small(8), alignCorners: fc.boolean() }),
        (s, random) => {
          const mix = (size: number, out: number, i: number): [number, number, number] => {
            const from = i * (s.alignCorners && out > 1 ? (size - 1) / (out - 1) : size / out);
            const low = Math.floor(from);
            return [low, Math.min(size - 1, Math.ceil(from)), from - low];
          };
          checkGradient(
            {
              inputs: [randomArray(shapeOf(s), random)],
              operation: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [s.outHeight, s.outWidth], s.alignCorners),
              reference: (x) =>
                build([s.batch, s.outHeight, s.outWidth, s.channels], ([n, i, j, c]) => {
                  const [top, bottom, down] = mix(s.height, s.outHeight, i);
                  const [left, right, across] = mix(s.width, s.outWidth, j);
                  const row = (y: number): number =>
                    at(x, [n, y, left, c]) * (1 - across) + at(x, [n, y, right, c]) * across;
                  return row(top) * (1 - down) + row(bottom) * down;
                }),
            },
            random,
            { gradient: 1e-4 },
          );
        },
      ));

    it("mirrorPad has the right gradient in both modes", () =>
      forCases(
        backend,
        fc.record({
          shape: fc.array(fc.integer({ min: 3, max: 5 }), { minLength: 1, maxLength: 3 }),
          sides: fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 3, maxLength: 3 }),
          mode: fc.constantFrom<"reflect" | "symmetric">("reflect", "symmetric"),
        }),
        (s, random) => {
          const sides = s.shape.map((_, axis) => s.sides[axis]);
          const edge = s.mode === "reflect" ? 0 : 1;
          const mirror = (i: number, size: number): number =>
            i < 0 ? -i - edge : i >= size ? 2 * (size - 1) - i + edge : i;
          const shape = s.shape.map((size, axis) => size + sides[axis][0] + sides[axis][1]);
          checkGradient(
            {
              inputs: [randomArray(s.shape, random)],
              operation: (x) => tf.mirrorPad(x, sides, s.mode),
              reference: (x) =>
                build(shape, (index) =>
                  at(
                    x,
                    index.map((i, axis) => mirror(i - sides[axis][0], s.shape[axis])),
                  ),
                ),
            },
            random,
          );
        },
      ));

    it("cumsum has the right gradient along any axis", () =>
      forCases(
        backend,
        fc.record({ shape: shapes, axis: fc.nat(3), exclusive: fc.boolean(), reverse: fc.boolean() }),
        (s, random) => {
          const axis = s.axis % s.shape.length;
          const isCounted = (i: number, from: number): boolean =>
            (i === from && !s.exclusive) || (s.reverse ? from > i : from < i);
          checkGradient(
            {
              inputs: [randomArray(s.shape, random)],
              operation: (x) => tf.cumsum(x, axis, s.exclusive, s.reverse),
              reference: (x) =>
                build(s.shape, (index) => {
                  let total = 0;
                  for (let from = 0; from < s.shape[axis]; from++) {
                    if (isCounted(index[axis], from)) total += at(x, index.with(axis, from));
                  }
                  return total;
                }),
            },
            random,
          );
        },
      ));

    it("depthToSpace has the right gradient", () =>
      forCases(
        backend,
        fc.record({ ...image, channels: small(3), block: fc.integer({ min: 2, max: 3 }) }),
        (s, random) => {
          const b = s.block;
          const shape = [s.batch, s.height, s.width, b * b * s.channels];
          checkGradient(
            {
              inputs: [randomArray(shape, random)],
              operation: (x) => tf.depthToSpace(x as tf.Tensor4D, b),
              reference: (x) =>
                build([s.batch, s.height * b, s.width * b, s.channels], ([n, i, j, c]) =>
                  at(x, [n, Math.floor(i / b), Math.floor(j / b), ((i % b) * b + (j % b)) * s.channels + c]),
                ),
            },
            random,
          );
        },
        30,
      ));

    it("conv3d has the right gradients, dilated or not", () =>
      forCases(
        backend,
        fc.record({
          size: fc.tuple(small(3), small(4), small(4)),
          filter: fc.tuple(small(2), small(2), small(3)),
          reach: small(2),
          dilated: fc.boolean(),
          channels: small(3),
          filters: small(4),
        }),
        (s, random) => {
          const [stride, dilation] = s.dilated ? [1, s.reach] : [s.reach, 1];
          const axes = s.size.map((size, i) => sliding(size, s.filter[i], stride, dilation, "valid"));
          if (axes.some(({ out }) => out < 1)) return;
          const filterShape = [...s.filter, s.channels, s.filters];
          checkGradient(
            {
              inputs: [randomArray([2, ...s.size, s.channels], random), randomArray(filterShape, random)],
              operation: (x, filter) =>
                tf.conv3d(x as tf.Tensor5D, filter as tf.Tensor5D, stride, "valid", "NDHWC", [
                  dilation,
                  dilation,
                  dilation,
                ]),
              reference: (x, filter) => convolution(x, filter, axes),
            },
            random,
          );
        },
        40,
      ));

    it("batchNorm has the right gradients for its input and its statistics", () =>
      forCases(backend, fc.record(image), (s, random) => {
        const perChannel = (): Array64 => randomArray([s.channels], random);
        const variances = perChannel();
        variances.values.forEach((value, i) => {
          variances.values[i] = Math.fround(value + 1.5);
        });
        checkGradient(
          {
            inputs: [randomArray(shapeOf(s), random), perChannel(), variances, perChannel(), perChannel()],
            operation: (x, ...statistics) => {
              const [mean, variance, offset, scale] = statistics as tf.Tensor1D[];
              return tf.batchNorm(x, mean, variance, offset, scale, 0.1);
            },
            reference: (x, mean, variance, offset, scale) =>
              build(x.shape, (index) => {
                const c = index[3];
                const normalized = (at(x, index) - mean.values[c]) / Math.sqrt(variance.values[c] + 0.1);
                return normalized * scale.values[c] + offset.values[c];
              }),
          },
          random,
        );
      }));
  });
}
