import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { input, layers, model } from "@tensorflow/tfjs-layers";
import { referenceFactors } from "../../backends/dropout.test.helper.js";
import { openBackend } from "../../backends/index.js";
import { keyOf } from "../../shared/random.js";
import type { LayersModel } from "../../tasks/index.js";
import { keyDropout } from "./layers.js";

const SEED = 5;
const WIDTH = 12;

const x = () => input({ shape: [WIDTH] });
const dropout = () => layers.dropout({ rate: 0.5, name: "drop" });
type Symbolic = ReturnType<typeof x>;

/** Models in which one dropout layer is called as often as there are rows, and the path that it has. */
const repeated: Record<string, { path: string; rows: number; build: () => LayersModel }> = {
  "shared by three inputs": {
    path: "drop",
    rows: 3,
    build: () => {
      const [shared, inputs] = [dropout(), [x(), x(), x()]];
      const dropped = inputs.map((one) => shared.apply(one) as Symbolic);
      return model({ inputs, outputs: layers.concatenate().apply(dropped) as Symbolic });
    },
  },
  "in a model that is called twice": {
    path: "inner/drop",
    rows: 2,
    build: () => {
      const [within, inputs] = [x(), [x(), x()]];
      const inner = model({ inputs: within, outputs: dropout().apply(within) as Symbolic, name: "inner" });
      const dropped = inputs.map((one) => inner.apply(one) as Symbolic);
      return model({ inputs, outputs: layers.concatenate().apply(dropped) as Symbolic });
    },
  },
  "at each of four time steps": {
    path: "steps/drop",
    rows: 4,
    build: () => {
      const sequence = input({ shape: [4, WIDTH] });
      const steps = layers.timeDistributed({ layer: dropout(), name: "steps" }).apply(sequence);
      return model({ inputs: sequence, outputs: layers.flatten().apply(steps) as Symbolic });
    },
  },
  "called once": {
    path: "drop",
    rows: 1,
    build: () => {
      const one = x();
      return model({ inputs: one, outputs: dropout().apply(one) as Symbolic });
    },
  },
};

/** Which elements the layer keeps of each row of ones. */
function kept(built: LayersModel, rows: number): boolean[][] {
  return tf.tidy(() => {
    const shapes = built.inputs.map(({ shape }) => [1, ...(shape.slice(1) as number[])]);
    const ones = shapes.map((shape) => tf.ones(shape));
    const y = built.apply(ones.length === 1 ? ones[0] : ones, { training: true }) as tf.Tensor;
    const values = [...y.dataSync()];
    return Array.from({ length: rows }, (_, row) =>
      values.slice(row * WIDTH, (row + 1) * WIDTH).map((value) => value !== 0),
    );
  });
}

/** Which elements a rate of 0.5 keeps of a row. */
const drawnBy = (key: Int32Array): boolean[] => Array.from(referenceFactors(key, WIDTH, 0.5), (factor) => factor !== 0);

describe("keyDropout()", () => {
  before(() => openBackend("wasm"));

  for (const [what, { path, rows, build }] of Object.entries(repeated)) {
    it(`draws by seed, micro-batch, path and call: of a layer ${what}`, () => {
      const built = build();
      const keyed = keyDropout(built, SEED);
      /** The number of each row's call: the order is the model's, not that of the inputs. */
      let order: number[] | undefined;
      const all = new Set<string>();
      for (const number of [0, 1, 7, 1]) {
        keyed.key(number);
        const found = kept(built, rows).map(String);
        const keys = Array.from({ length: rows }, (_, call) => keyOf(SEED, path, call, number));
        assert.deepEqual(keyed.keys(number), keys);
        const drawn = keys.map((key) => String(drawnBy(key)));
        order ??= found.map((row) => drawn.indexOf(row));
        assert.deepEqual(
          [...order].sort(),
          keys.map((_, call) => call),
        );
        assert.deepEqual(
          found,
          order.map((call) => drawn[call]),
        );
        for (const row of found) all.add(row);
      }
      assert.equal(all.size, 3 * rows, "two calls keep the same elements");
      built.dispose();
    });
  }

  it("counts the calls of training only", () => {
    const { build, rows } = repeated["shared by three inputs"];
    const built = build();
    const keyed = keyDropout(built, SEED);
    keyed.key(3);
    const first = kept(built, rows);
    tf.tidy(() => {
      built.apply(
        built.inputs.map(() => tf.ones([1, WIDTH])),
        { training: false },
      );
    });
    assert.equal(keyed.keys(3).length, 3);
    keyed.key(3);
    assert.deepEqual(kept(built, rows), first);
    built.dispose();
  });
});
