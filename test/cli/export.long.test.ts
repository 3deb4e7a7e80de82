import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Inputs, predictInPlainTfjs } from "../../server/export/plain-tfjs.test.helper.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { createRandom } from "../../shared/random.js";
import { openWorkplace, type Workplace } from "./isobatch.test.helper.js";

/** The test part, made from the description of its format without Isobatch's code. */
interface TestPart extends Inputs {
  /** One label per row of logits. */
  readonly labels: readonly number[];
}

const CLASSES = 10;
const SIDE = 32;
const NORMALIZATION = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616] };

/** A folder with CIFAR-10's six files, whose images are random and brighter for higher classes. */
function writeImages(folder: string): TestPart {
  mkdirSync(folder);
  const random = createRandom(1);
  const rowsOf = (count: number): Buffer[] =>
    Array.from({ length: count }, (_, i) => {
      const label = i % CLASSES;
      const pixels = Array.from({ length: 3 * SIDE * SIDE }, () => Math.floor(100 * random.next()) + 15 * label);
      return Buffer.from([label, ...pixels]);
    });
  for (let n = 1; n <= 5; n++) writeFileSync(join(folder, `data_batch_${n}.bin`), Buffer.concat(rowsOf(20)));
  const test = rowsOf(10);
  writeFileSync(join(folder, "test_batch.bin"), Buffer.concat(test));
  const values = test.flatMap((row) =>
    Array.from({ length: 3 * SIDE * SIDE }, (_, i) => {
      const [pixel, colour] = [Math.floor(i / 3), i % 3];
      const byte = row[1 + colour * SIDE * SIDE + pixel];
      return (byte / 255 - NORMALIZATION.mean[colour]) / NORMALIZATION.deviation[colour];
    }),
  );
  return { values, shape: [test.length, SIDE, SIDE, 3], labels: test.map(([label]) => label) };
}

const CONTEXT = 12;
const ALPHABET = " 0123456789";

/** The numbers from 0 on, as text. */
function writeText(file: string): TestPart {
  const text = Array.from({ length: 500 }, (_, i) => i).join(" ");
  writeFileSync(file, text);
  const test = [...text.slice(text.length - Math.floor(text.length / 10))].map((character) =>
    ALPHABET.indexOf(character),
  );
  const windows = Math.floor((test.length - 1) / CONTEXT);
  return {
    values: test.slice(0, windows * CONTEXT),
    shape: [windows, CONTEXT],
    labels: test.slice(1, 1 + windows * CONTEXT),
  };
}

/** The mean cross-entropy of softmax(logits), in float64. */
function crossEntropy(logits: readonly number[], labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  const losses = labels.map((label, i) => {
    const row = logits.slice(i * classes, (i + 1) * classes);
    return Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[label];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

const training = { loss: "softmaxCrossEntropy", microBatchSize: 10, learningRate: 0.003 };

const cases = {
  "resnet18 with BatchNorm": { kind: "resnet18", width: 4 },
  gpt: { kind: "gpt", layers: 2, heads: 2, width: 16, dropout: 0.1 },
  ...(ALL && {
    "resnet18 with GroupNorm": { kind: "resnet18", width: 4, normalization: "group" },
    vit: { kind: "vit", layers: 1, heads: 2, width: 16, patch: 8, dropout: 0.1 },
  }),
};

describe("isobatch export of a built-in model", { concurrency: 2 }, () => {
  let workplace: Workplace;
  let images: TestPart;
  let text: TestPart;
  before(() => {
    workplace = openWorkplace();
    images = writeImages(join(workplace.folder, "images"));
    text = writeText(join(workplace.folder, "numbers.txt"));
  });
  after(() => workplace.close());

  Object.entries(cases).forEach(([name, model], i) => {
    it(`gives plain tfjs and isobatch/layers the run's own test loss: ${name}`, { timeout: 120_000 }, async () => {
      const isText = model.kind === "gpt";
      const dataset = isText
        ? { kind: "text", file: "numbers.txt", context: CONTEXT }
        : { kind: "cifar10", folder: "images" };
      const samples = isText ? 2_000 : 200;
      workplace.write(`task-${i}.json`, { ...training, name: `task-${i}`, model, dataset, samples });
      const [run, out] = [`run-${i}`, `model-${i}`];
      const isobatch = async (...args: string[]): Promise<string> => {
        const { code, stdout, stderr } = await workplace.run(args);
        assert.equal(code, 0, stderr);
        return stdout;
      };
      await isobatch("run", `task-${i}.json`, "--out", run, "--workers", "1");
      const { loss } = JSON.parse(await isobatch("evaluate", run, "--json")) as { loss: number };
      await isobatch("export", run, "--format", "tfjs", "--out", out);

      const { labels, ...inputs } = isText ? text : images;
      const logits = predictInPlainTfjs(join(workplace.folder, out), inputs, ["isobatch/layers"]);
      const found = crossEntropy(logits, labels);
      assert.ok(Math.abs(found - loss) <= 1e-5 * loss, `the loss is ${found}, and the run's is ${loss}`);
      // The exported weights are trained: with untrained ones all classes are about equally likely.
      assert.ok(found < Math.log(logits.length / labels.length) - 0.1, `${found} is the loss of an even guess`);
    });
  });
});
