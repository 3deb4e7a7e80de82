import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { array64, backendNames, checkGradient, forCases, randomArray } from "./gradient-check.test.helper.js";
import { forIndices, position } from "./reference.test.helper.js";

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });

for (const backend of backendNames) {
  describe(`rearrangements on ${backend}`, () => {
    it("transpose moves any axes, with the right gradient", () =>
      forCases(backend, fc.record({ shape: shapes, still: fc.nat(3) }), ({ shape, still }, random) => {
        // The last axes often stay.
        const order = shape.map((_, axis) => axis);
        for (let i = Math.max(0, order.length - still) - 1; i > 0; i--) {
          const j = random.below(i + 1);
          [order[i], order[j]] = [order[j], order[i]];
        }
        checkGradient(
          {
            inputs: [randomArray(shape, random)],
            operation: (x) => tf.transpose(x, order),
            reference(x) {
              const y = array64(order.map((axis) => shape[axis]));
              forIndices(y.shape, (index, i) => {
                const from = shape.map((_, axis) => index[order.indexOf(axis)]);
                y.values[i] = x.values[position(shape, from)];
              });
              return y;
            },
          },
          random,
        );
      }));

    it("unstack cuts along any axis", () =>
      forCases(backend, fc.record({ shape: shapes, axis: fc.nat(5) }), ({ shape, axis }, random) => {
        const along = axis % shape.length;
        const { values } = randomArray(shape, random);
        const pieces = tf.tidy(() =>
          tf.unstack(tf.tensor(Float32Array.from(values), shape), along).map((piece) => piece.dataSync()),
        );
        const rest = shape.filter((_, i) => i !== along);
        assert.equal(pieces.length, shape[along]);
        forIndices(shape, (index, i) => {
          const inPiece = index.filter((_, i) => i !== along);
          assert.equal(pieces[index[along]][position(rest, inPiece)], Math.fround(values[i]));
        });
      }));
  });
}
