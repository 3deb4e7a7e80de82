import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import {
  type Array64,
  array64,
  assertClose,
  backendNames,
  checkGradient,
  forCases,
  randomArray,
} from "./gradient-check.test.helper.js";
import { product } from "./reference.test.helper.js";

const small = (max: number) => fc.integer({ min: 1, max });
const sides = { m: small(14), n: small(19), k: small(9), transposeA: fc.boolean(), transposeB: fc.boolean() };

/** Batch axes of the two factors, either of which may be broadcast. */
const batches = fc
  .array(fc.record({ size: small(3), a: fc.boolean(), b: fc.boolean() }), { maxLength: 2 })
  .map((axes) => ({
    a: axes.map(({ size, a }) => (a ? size : 1)),
    b: axes.map(({ size, b }) => (b ? size : 1)),
  }));

interface Sides {
  m: number;
  n: number;
  k: number;
  transposeA: boolean;
  transposeB: boolean;
}

const factors = ({ m, n, k, transposeA, transposeB }: Sides) => ({
  a: transposeA ? [k, m] : [m, k],
  b: transposeB ? [n, k] : [k, n],
});

function plus(sum: Array64, bias: Array64): Array64 {
  return array64(
    sum.shape,
    sum.values.map((value, i) => value + bias.values[i % bias.values.length]),
  );
}

for (const backend of backendNames) {
  describe(`matrix products on ${backend}`, () => {
    it("matMul has the right gradients for any sides, transposed factors and broadcast batches", () =>
      forCases(backend, fc.record({ ...sides, batches }), (s, random) => {
        const { a, b } = factors(s);
        checkGradient(
          {
            inputs: [randomArray([...s.batches.a, ...a], random), randomArray([...s.batches.b, ...b], random)],
            operation: (x, y) => tf.matMul(x, y, s.transposeA, s.transposeB),
            reference: (x, y) => product(x, y, s.transposeA, s.transposeB),
          },
          random,
        );
      }));

    it("fused.matMul has the right gradients with a bias", () =>
      forCases(backend, fc.record({ ...sides, batch: small(3) }), (s, random) => {
        const { a, b } = factors(s);
        checkGradient(
          {
            inputs: [
              randomArray([s.batch, ...a], random),
              randomArray([s.batch, ...b], random),
              randomArray([s.n], random),
            ],
            operation: (x, y, bias) =>
              tf.fused.matMul({ a: x, b: y, bias, transposeA: s.transposeA, transposeB: s.transposeB }),
            reference: (x, y, bias) => plus(product(x, y, s.transposeA, s.transposeB), bias),
          },
          random,
        );
      }));

    it("matMul is right where the factors span several blocks and tiles", () =>
      forCases(
        backend,
        fc.record({ ...sides, m: small(23), k: fc.integer({ min: 250, max: 600 }) }),
        (s, random) => {
          const { a, b } = factors(s);
          const [x, y] = [randomArray(a, random), randomArray(b, random)];
          const found = tf.tidy(() => {
            const tensors = [x, y].map(({ shape, values }) => tf.tensor(Float32Array.from(values), shape));
            return tf.matMul(tensors[0], tensors[1], s.transposeA, s.transposeB).dataSync();
          });
          assertClose(found, product(x, y, s.transposeA, s.transposeB).values, 2e-6, "product");
        },
        30,
      ));
  });
}
