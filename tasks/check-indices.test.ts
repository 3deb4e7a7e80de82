import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { resolveTask } from "./load-task.js";
import { prepareTask } from "./prepare-task.js";
import type { TaskInput } from "./task.js";

describe("checkIndices()", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-indices-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const prepare = (dataset: object, layers: { layer: string; [field: string]: unknown }[], loss: TaskInput["loss"]) =>
    prepareTask(
      resolveTask("test", {
        name: "indices",
        model: { kind: "sequential", layers },
        dataset,
        loss,
        microBatchSize: 1,
        samples: 1,
        learningRate: 1,
      }),
    );
  const head = [{ layer: "Flatten" }, { layer: "Dense", units: 1 }];
  const embedding = { layer: "Embedding", inputDim: 4, outputDim: 2, name: "words" };
  const csv = (
    rows: string,
    testRows = "0,1,0\n",
    layers: { layer: string }[] = [{ ...embedding, inputShape: [2] } as never],
  ) => {
    const file = write("tokens.csv", `a,b,y\n${rows}`);
    const testFile = write("test.csv", `a,b,y\n${testRows}`);
    const dataset = { kind: "csv", file, testFile, label: "y", target: "numbers" };
    return prepare(dataset, [...layers, ...head], "meanSquaredError");
  };

  it("accepts what the table has", async () => {
    await csv("0,1,0.5\n3,2,0.5\n");
  });

  const faults: [string, () => Promise<unknown>, RegExp][] = [
    [
      "an index that the table lacks",
      () => csv("0,1,0\n3,9,0\n12,0,0\n"),
      /tokens\.csv, line 3: column "b" is 9, but the Embedding layer "words" has inputDim 4: it takes whole numbers from 0 to 3; set inputDim to 13, as the largest number there is 12, or correct the data\.$/,
    ],
    [
      "a negative one",
      () => csv("0,-1,0\n"),
      /tokens\.csv, line 2: column "b" is -1, .*; number the categories from 0\.$/,
    ],
    [
      "one that is not a whole number",
      () => csv("1.7,1,0\n"),
      /line 2: column "a" is 1\.7.*, .*; give it whole numbers/,
    ],
    [
      "one in the test part",
      () => csv("0,1,0\n", "0,1,0\n4,1,0\n"),
      /test\.csv, line 3: column "a" is 4, .* set inputDim to 5/,
    ],
    [
      "one behind layers that rearrange",
      () =>
        csv("0,1,0\n", "0,8,0\n", [
          { layer: "Reshape", targetShape: [2, 1, 1], inputShape: [2] } as never,
          {
            layer: "Cropping2D",
            cropping: [
              [1, 0],
              [0, 0],
            ],
          } as never,
          embedding as never,
        ]),
      /test\.csv, line 2: column "b" is 8/,
    ],
    [
      "a text of more characters than the table has rows",
      () => {
        const dataset = { kind: "text", file: write("text.txt", "abcabcabcdabcabcabc"), context: 3, testFraction: 0 };
        const layers = [
          { ...embedding, inputDim: 3, inputShape: [3] },
          { layer: "Dense", units: 4 },
        ];
        return prepare(dataset, layers, "softmaxCrossEntropy");
      },
      /text\.txt, character 10: the number of "d" is 3, .* it takes whole numbers from 0 to 2; set inputDim to 4/,
    ],
    [
      "pixels, which are scaled",
      () =>
        prepare(
          { kind: "mnist", limit: 10, testLimit: 10 },
          [
            { layer: "Flatten", inputShape: [28, 28, 1] },
            embedding,
            { layer: "Flatten" },
            { layer: "Dense", units: 10 },
          ],
          "softmaxCrossEntropy",
        ),
      /train-images-idx3-ubyte, image 0: its pixel 152, scaled from 0–255 to 0–1, is 0\.0117.*, but the Embedding layer/,
    ],
  ];
  for (const [name, attempt, message] of faults) {
    it(`refuses ${name}`, () => assert.rejects(attempt, { name: "IsobatchError", code: "invalid_input", message }));
  }

  it("refuses labels of a binary cross-entropy that are not probabilities", async () => {
    const model = [{ layer: "Dense", units: 1, inputShape: [2] }];
    const of = (testRow: string) => {
      const [file, testFile] = [
        write("binary.csv", "a,b,y\n0,1,0\n1,2,1\n"),
        write("binary-test.csv", `a,b,y\n${testRow}\n`),
      ];
      return prepare({ kind: "csv", file, testFile, label: "y", target: "numbers" }, model, "binaryCrossEntropy");
    };
    await of("3,4,0.5");
    const message =
      /binary-test\.csv, line 2: column "y" is -1, but loss is "binaryCrossEntropy", which takes labels from 0 to 1; write 0 and 1/;
    await assert.rejects(of("3,4,-1"), { code: "invalid_input", message });
  });

  it("does not look at numbers that are not looked up", async () => {
    await csv("0,1.5,0\n", "0,9e9,0\n", [
      { layer: "Reshape", targetShape: [2, 1, 1], inputShape: [2] } as never,
      {
        layer: "Cropping2D",
        cropping: [
          [0, 1],
          [0, 0],
        ],
      } as never,
      embedding as never,
    ]);
  });
});
