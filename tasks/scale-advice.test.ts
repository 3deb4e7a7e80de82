import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDataset, type Dataset } from "./datasets/index.js";
import type { Layer } from "./models/index.js";
import { onCpu, tensorflow as tf } from "./models/tensorflow.js";
import { scaleAdvice } from "./scale-advice.js";
import type { Loss } from "./task.js";

const { layers } = tf;

/** Rows of two inputs and a label, each of which is plus or minus its deviation around 7. */
function rows(deviations: readonly [number, number, number], samples = 10): Dataset {
  const number = (deviation: number, row: number): number => 7 + (row % 2 === 0 ? deviation : -deviation);
  const [a, b, y] = deviations;
  const inputs = Float32Array.from({ length: 2 * samples }, (_, i) => number(i % 2 === 0 ? a : b, Math.floor(i / 2)));
  const labels = Float32Array.from({ length: samples }, (_, row) => number(y, row));
  const form = {
    input: { shape: [2], type: "float32" as const, scale: 1 },
    label: { shape: [], type: "float32" as const },
  };
  return {
    ...createDataset(form, new Uint8Array(inputs.buffer), new Uint8Array(labels.buffer)),
    columns: { inputs: ["a", "b"], labels: ["y"] },
  };
}

function advise(train: Dataset, chain: Layer[] = [], loss: Loss = "meanSquaredError"): string | undefined {
  const input = layers.inputLayer({ inputShape: [...train.input.shape] } as never);
  const model = onCpu(() => tf.sequential({ layers: [input, ...chain] }));
  return scaleAdvice({ loss }, model, { train, test: undefined, fingerprint: "", trainFingerprint: "" });
}
const dense = () => layers.dense({ units: 1 });

describe("scaleAdvice()", () => {
  it("has no advice about numbers with a deviation of up to 100", () => {
    assert.equal(advise(rows([100, 0.1, 100]), [dense()]), undefined);
  });

  it("names the columns that are wider, the widest first, and what to do", () => {
    assert.equal(
      advise(rows([101, 2500, 1]), [dense()]),
      'the model computes with "b" (deviation 2,500), "a" (deviation 101) as they are: numbers so far apart train badly; divide such ' +
        "columns in the file so that their deviation is about 1, or start the model with a BatchNormalization layer, which does it for inputs",
    );
    assert.match(
      advise(rows([1, 1, 48_000]), [dense()])!,
      /^the model is to predict "y" \(deviation 48,000\): .* about 1$/,
    );
    assert.match(
      advise(rows([200, 1, 300]), [dense()])!,
      /^the model computes with "a" .* and is to predict "y" \(deviation 300\)/,
    );
  });

  it("does not mind what is looked up or normalised first, nor what the last layer scales back", () => {
    const table = () => layers.embedding({ inputDim: 9000, outputDim: 2 });
    assert.equal(advise(rows([3000, 3000, 1]), [table(), layers.flatten(), dense()]), undefined);
    assert.equal(advise(rows([3000, 3000, 1]), [layers.batchNormalization(), dense()]), undefined);
    assert.equal(advise(rows([1, 1, 3000]), [dense(), layers.rescaling({ scale: 3000 } as never)]), undefined);
  });

  it("does not look at numbers of classes, nor at bytes that are scaled", () => {
    assert.equal(advise(rows([1, 1, 3000]), [dense()], "binaryCrossEntropy"), undefined);
    const form = {
      input: { shape: [4], type: "uint8", scale: 1 / 255 },
      label: { shape: [], type: "float32" },
    } as const;
    const train = { ...form, samples: 9, read: () => assert.fail("nothing needs to be read") } as unknown as Dataset;
    assert.equal(advise(train, [dense()], "softmaxCrossEntropy"), undefined);
  });

  it("looks at no more than 1,000 rows, spread over the data", () => {
    const few = rows([500, 1, 1], 1000);
    let asked = new Uint32Array();
    const train: Dataset = {
      ...few,
      samples: 4_000_000,
      read(indices) {
        asked = indices.slice();
        return few.read(Uint32Array.from(indices, (_, i) => i));
      },
    };
    assert.match(advise(train, [dense()])!, /"a" \(deviation 500\)/);
    assert.deepEqual([asked.length, asked[1], asked[999]], [1000, 4000, 3_996_000]);
  });
});
