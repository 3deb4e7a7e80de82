import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LayersModel } from "./capture-weights.js";
import { createIndexCheck } from "./index-inputs.js";
import { type InputUses, inputUsesOf } from "./input-uses.js";
import { TokenEmbedding } from "./layers/index.js";
import { onCpu, tensorflow as tf } from "./tensorflow.js";

const { layers } = tf;
type Symbolic = ReturnType<typeof tf.input>;
const apply = (layer: { apply(x: never): unknown }, x: unknown): Symbolic => layer.apply(x as never) as Symbolic;
const table = (limit: number) => layers.embedding({ inputDim: limit, outputDim: 2 });
const columns = (x: Symbolic, width: number, from: number, end: number): Symbolic => {
  const image = apply(layers.reshape({ targetShape: [width, 1, 1] }), x);
  const cropped = apply(
    layers.cropping2D({
      cropping: [
        [from, width - end],
        [0, 0],
      ],
    } as never),
    image,
  );
  return apply(layers.reshape({ targetShape: [end - from] }), cropped);
};
const functional = (width: number, make: (x: Symbolic) => Symbolic): LayersModel => {
  const x = tf.input({ shape: [width] });
  return tf.model({ inputs: x, outputs: make(x) });
};

/** What is looked up, on 6 numbers: the elements by limit, and those that are computed with as they are. */
const CASES: Record<
  string,
  { model: () => LayersModel; shape?: number[]; indices: [number, number[]][]; plain: number[] }
> = {
  "the whole input": {
    model: () => tf.sequential({ layers: [layers.embedding({ inputDim: 4, outputDim: 2, inputShape: [6] })] }),
    indices: [[4, [0, 1, 2, 3, 4, 5]]],
    plain: [],
  },
  "some columns of a table, others computed with": {
    model: () =>
      functional(6, (x) => {
        const words = apply(layers.flatten(), apply(table(5), columns(x, 6, 2, 4)));
        return apply(layers.concatenate(), [words, apply(layers.dense({ units: 1 }), columns(x, 6, 4, 6))]);
      }),
    indices: [[5, [2, 3]]],
    plain: [4, 5],
  },
  "two tables, one of them behind a join of two branches": {
    model: () =>
      functional(6, (x) => {
        const joined = apply(layers.concatenate(), [columns(x, 6, 4, 6), columns(x, 6, 0, 1)]);
        const one = apply(layers.flatten(), apply(table(3), joined));
        return apply(layers.concatenate(), [one, apply(layers.flatten(), apply(table(7), columns(x, 6, 1, 2)))]);
      }),
    indices: [
      [3, [0, 4, 5]],
      [7, [1]],
    ],
    plain: [],
  },
  "behind Permute, RepeatVector and padding": {
    model: () => {
      const x = tf.input({ shape: [2, 3] });
      const turned = apply(layers.permute({ dims: [2, 1] }), x);
      const image = apply(layers.reshape({ targetShape: [3, 2, 1] }), turned);
      const padded = apply(layers.zeroPadding2d({ padding: 1 } as never), image);
      const row = apply(layers.repeatVector({ n: 2 }), apply(layers.flatten(), padded));
      return tf.model({ inputs: x, outputs: apply(table(4), row) });
    },
    shape: [2, 3],
    indices: [[4, [0, 1, 2, 3, 4, 5]]],
    plain: [],
  },
  "in nested models, of which one is the first layer": {
    model: () => {
      const first = tf.sequential({ layers: [layers.reshape({ targetShape: [3, 2], inputShape: [6] })] });
      const second = tf.sequential({ layers: [layers.embedding({ inputDim: 4, outputDim: 2, inputShape: [3, 2] })] });
      return tf.sequential({ layers: [first, second] });
    },
    indices: [[4, [0, 1, 2, 3, 4, 5]]],
    plain: [],
  },
  "in a nested model that is called on two parts": {
    model: () => {
      const words = tf.sequential({ layers: [layers.embedding({ inputDim: 4, outputDim: 2, inputShape: [2] })] });
      return functional(6, (x) =>
        apply(layers.concatenate(), [apply(words, columns(x, 6, 0, 2)), apply(words, columns(x, 6, 3, 5))]),
      );
    },
    indices: [
      [4, [0, 1]],
      [4, [3, 4]],
    ],
    plain: [],
  },
  "at each step of a sequence": {
    model: () => {
      const x = tf.input({ shape: [3, 2] });
      const inner = tf.sequential({ layers: [layers.reshape({ targetShape: [1, 2], inputShape: [2] }), table(4)] });
      return tf.model({ inputs: x, outputs: apply(layers.timeDistributed({ layer: inner as never }), x) });
    },
    shape: [3, 2],
    indices: [[4, [0, 1, 2, 3, 4, 5]]],
    plain: [],
  },
  "by a TokenEmbedding that is also the last layer": {
    model: () =>
      functional(6, (x) => {
        const tokens = new TokenEmbedding({ name: "tokens", vocabulary: 9, width: 2 });
        return apply(tokens, apply(tokens, x));
      }),
    indices: [[9, [0, 1, 2, 3, 4, 5]]],
    plain: [],
  },
  "by a CategoryEncoding": {
    model: () =>
      tf.sequential({
        layers: [
          layers.reshape({ targetShape: [6], inputShape: [6] }),
          layers.categoryEncoding({ numTokens: 4 } as never),
        ],
      }),
    indices: [[4, [0, 1, 2, 3, 4, 5]]],
    plain: [],
  },
  "nothing: a dense model": {
    model: () => tf.sequential({ layers: [layers.dense({ units: 1, inputShape: [6] })] }),
    indices: [],
    plain: [0, 1, 2, 3, 4, 5],
  },
  "nothing: numbers that are normalised first": {
    model: () =>
      tf.sequential({ layers: [layers.batchNormalization({ inputShape: [6] }), layers.dense({ units: 1 })] }),
    indices: [],
    plain: [],
  },
};

const found = ({ indices, untraced, plain }: InputUses) => ({
  untraced,
  indices: indices.map(({ layer, elements }): [number, number[]] => [layer.limit, [...elements]]),
  plain: [...plain],
});

describe("inputUsesOf()", () => {
  for (const [name, { model, shape = [6], indices, plain }] of Object.entries(CASES)) {
    it(`finds what is looked up: ${name}`, () => {
      const made = onCpu(model);
      assert.deepEqual(found(inputUsesOf(made, shape)), { untraced: [], indices, plain });
    });

    it(`agrees with tfjs on which numbers are out of range: ${name}`, () => {
      onCpu(() => {
        const made = model();
        const { indices: inputs } = inputUsesOf(made, shape);
        const check = createIndexCheck(inputs);
        for (let element = 0; element < 6; element++) {
          for (const value of [2, 3, 4, 5, 7, 9, -1]) {
            const sample = new Float32Array(6);
            sample[element] = value;
            const compute = () => tf.tidy(() => void made.predict(tf.tensor(sample, [1, ...shape])));
            if (check(sample, 1) === undefined) compute();
            else assert.throws(compute, /GatherV2|Input values/, `element ${element} is ${value}`);
          }
        }
      });
    });
  }

  it("lists a layer whose input is changed on its way", () => {
    const model = onCpu(() =>
      tf.sequential({
        layers: [
          layers.reshape({ targetShape: [6, 1], inputShape: [6] }),
          layers.maxPooling1d({ poolSize: 2 }),
          layers.embedding({ inputDim: 4, outputDim: 2, name: "words" }),
        ],
      }),
    );
    const { indices, untraced } = inputUsesOf(model, [6]);
    assert.deepEqual(indices, []);
    assert.deepEqual(
      untraced.map(({ path, limit }) => [path, limit]),
      [["words", 4]],
    );
  });
});

describe("createIndexCheck()", () => {
  it("names the first number that is out of range, or not a whole number", () => {
    const layer = { path: "words", className: "Embedding", field: "inputDim", limit: 4 };
    const check = createIndexCheck([{ layer, elements: Uint32Array.of(1, 2) }]);
    assert.equal(check(Float32Array.of(9, 0, 3, -1.5, 1, 2), 2), undefined);
    for (const value of [4, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.deepEqual(check(Float32Array.of(0, 0, 3, 0, 0, value), 2), { sample: 1, element: 2, value, layer });
    }
  });
});
