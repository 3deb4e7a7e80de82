import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { decodeBatch } from "../decode-batch.js";
import { resolveTask } from "../load-task.js";
import type { TaskInput } from "../task.js";
import { type Dataset, openData, type TaskData } from "./index.js";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobatch-csv-"));
});
after(() => rm(folder, { recursive: true }));

/** Writes `text` to a file and reads it as a data set with `options`. */
async function open(text: string | Buffer, options: Record<string, unknown> = {}): Promise<TaskData> {
  const file = join(folder, "data.csv");
  await writeFile(file, text);
  const dataset = { kind: "csv", file, label: "y", target: "classes", testFraction: 0, ...options };
  const input: TaskInput = {
    name: "csv",
    model: { kind: "sequential", layers: [{ layer: "Dense" }] },
    loss: "softmaxCrossEntropy",
    dataset: dataset as TaskInput["dataset"],
    microBatchSize: 1,
    samples: 1,
    learningRate: 1,
  };
  return openData(resolveTask("csv", input));
}

/** All inputs and labels of a part. */
function contents(part: Dataset): { inputs: number[]; labels: number[] } {
  const { inputs, labels } = part.read(Uint32Array.from({ length: part.samples }, (_, i) => i));
  const decoded = decodeBatch(part, inputs, labels, part.samples);
  return { inputs: [...decoded.inputs], labels: [...decoded.labels] };
}

describe("openData() of a CSV file", () => {
  it("numbers classes by their sorted words, wherever the label column is", async () => {
    const { train } = await open("a,y,b\n1,pear,2\n3,apple,4\n5,pear,6\n");
    assert.deepEqual(train.label, { shape: [], type: "int32", classes: 2, classNames: ["apple", "pear"] });
    assert.deepEqual(contents(train), { inputs: [1, 2, 3, 4, 5, 6], labels: [1, 0, 1] });
  });

  it("sorts numeric classes by value, not as words", async () => {
    const { train } = await open("a,y\n0,10\n0,9\n0,2\n");
    assert.deepEqual(train.label.classNames, ["2", "9", "10"]);
  });

  it("predicts one number, or several", async () => {
    const one = await open("a,y\n1,0.5\n2,-3\n", { target: "numbers" });
    assert.deepEqual([one.train.label, contents(one.train).labels], [{ shape: [], type: "float32" }, [0.5, -3]]);
    const two = await open("a,y,z\n1,2,3\n4,5,6\n", { target: "numbers", label: ["z", "y"] });
    assert.deepEqual([two.train.label.shape, contents(two.train).labels], [[2], [3, 2, 6, 5]]);
  });

  it("reads a file without a header by column numbers, with another delimiter, leaving columns out", async () => {
    const options = { header: false, delimiter: ";", label: 2, ignore: [0], target: "numbers" };
    const { train } = await open("id7;1.5;2\nid8;3.5;4\n", options);
    assert.deepEqual(contents(train), { inputs: [1.5, 3.5], labels: [2, 4] });
  });

  it("sets the same rows aside each time, each row in one part", async () => {
    const text = `a,y\n${Array.from({ length: 50 }, (_, i) => `${i},${i % 2}`).join("\n")}\n`;
    const first = await open(text, { testFraction: 0.2 });
    const second = await open(text, { testFraction: 0.2 });
    assert.equal(first.test?.samples, 10);
    const rows = [...contents(first.train).inputs, ...contents(first.test!).inputs];
    assert.deepEqual(
      rows.sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i),
    );
    assert.equal(second.fingerprint, first.fingerprint);
  });

  it("takes the test part from its own file, with the training part's classes", async () => {
    const testFile = join(folder, "test.csv");
    await writeFile(testFile, "a,y\n9,c\n");
    const { train, test } = await open("a,y\n1,a\n2,b\n3,c\n", { testFile });
    assert.deepEqual([train.samples, test?.samples, train.label.classes], [3, 1, 3]);
    assert.deepEqual(contents(test!), { inputs: [9], labels: [2] });
    await assert.rejects(
      open("a,y\n1,a\n2,b\n", { testFile }),
      /test\.csv, line 2: column "y" is "c", a class that .*data\.csv does not have; it has "a", "b"\. Correct/,
    );
    // A limit does not make a class unknown.
    assert.equal((await open("a,y\n1,a\n2,b\n3,c\n", { testFile, limit: 1 })).train.label.classes, 3);
    await writeFile(testFile, "b,y\n9,c\n");
    await assert.rejects(open("a,y\n1,a\n2,b\n", { testFile }), /test.csv has the columns b, y, but .* has a, y/);
  });

  const faults: [string, string, Record<string, unknown>, RegExp][] = [
    [
      "a word among the inputs",
      "a,y\n1,0\n\noops,1\n",
      {},
      /data.csv, line 4: column "a" is "oops", which is not a finite/,
    ],
    ["an empty field", "a,y\n1,0\n,1\n", {}, /line 3: column "a" is ""/],
    ["a number beyond float32", "a,y\n1e39,0\n1,1\n", {}, /line 2: column "a" is "1e39"/],
    ["a row of another length", "a,y\n1,0\n1,0,5\n", {}, /data.csv is not a usable CSV file: .*line 3/],
    ["an open quotation mark", 'a,y\n"1,0\n', {}, /data.csv is not a usable CSV file: /],
    ["an unknown column", "a,y\n1,0\n", { label: "z" }, /dataset.label names the column "z", .* it has a, y/],
    ["no rows", "a,y\n", {}, /has no rows below its header/],
    ["one class", "a,y\n1,0\n2,0\n", {}, /has only one class; at least two are needed/],
    ["no inputs", "y\n1\n2\n", {}, /has no column left for the inputs/],
    ["a column twice", "a,a,y\n1,1,0\n", {}, /two columns called "a"/],
    [
      "a column without a name",
      "b,,y\n0,1,0\n",
      {},
      /data.csv: column 1, counted from 0, has no name; .*"ignore": \[1\]/,
    ],
    [
      "a row that is taken for a header",
      "5.1,3.5,0\n4.9,3,1\n",
      { label: 2 },
      /data.csv, line 1: it is taken as the names of the columns, but it is all numbers \(5\.1, 3\.5, 0\); set dataset\.header to false/,
    ],
    ["an empty label", "a,y\n1,0\n1,\n2,1\n", {}, /data.csv, line 3: column "y" is empty, but it is the label/],
    ["a label of spaces", 'a,y\n1,0\n1,"  "\n2,1\n', {}, /line 3: column "y" is empty/],
    [
      "classes that differ only in white space",
      'a,y\n1,fox\n2,hen\n3,"fox "\n',
      {},
      /line 4: column "y" is "fox ", and in line 2 it is "fox", which differ only in white space/,
    ],
    [
      "classes that differ only in how an umlaut is encoded",
      "a,y\n1,B\u00e4r\n2,Ba\u0308r\n",
      {},
      /column "y" is "B\u00e4r", and in line 3 it is "Ba\u0308r", which differ only in .* how their letters are encoded/,
    ],
    [
      "one number spelled in two ways",
      "a,y\n1,0\n2,1\n3,1.0\n",
      {},
      /is "1\.0", and in line 3 it is "1", which are the same number/,
    ],
    [
      "a missing label among numbers",
      "a,y\n1,0\n2,NA\n3,1\n",
      {},
      /line 3: column "y" is "NA", and all other classes are numbers/,
    ],
    ["a number in another base", "a,y\n0x1F,0\n1,1\n", {}, /line 2: column "a" is "0x1F", which is not a finite/],
    [
      "a decimal comma",
      'a,y\n"1,5",0\n1,1\n',
      {},
      /line 2: column "a" is "1,5", .*; write it with a point, correct it/,
    ],
    [
      "an empty number to predict",
      "a,y\n1,\n1,1\n",
      { target: "numbers" },
      /line 2: column "y" is "", .*; correct it, or remove the row\.$/,
    ],
    ["nothing to train on", "a,y\n1,0\n2,1\n", { testFraction: 0.9 }, /testFraction 0.9 leaves none of the 2 rows/],
    ["a missing file", "", { file: "/nowhere.csv" }, /The data file \/nowhere.csv can't be read/],
  ];
  it("takes words that numbers or missing values are among for classes, if they can't be a mistake", async () => {
    const { train } = await open("a,y\n1,none\n2,mild\n3,Mild\n4,38\n");
    assert.deepEqual(train.label.classNames, ["38", "Mild", "mild", "none"]);
  });

  it("takes numbers for names where they can be names: counted ones, or next to a label with a name", async () => {
    assert.equal((await open("0,1,2\n5,6,1\n7,8,0\n", { label: "2" })).train.samples, 2);
    assert.equal((await open("400.5,401,y\n5,6,1\n7,8,0\n")).train.samples, 2);
  });

  it("needs no names of columns that are left out", async () => {
    const { train } = await open(",a,,y\n0,5,8,1\n1,6,9,0\n", { ignore: [0, 2] });
    assert.deepEqual(contents(train), { inputs: [5, 6], labels: [1, 0] });
  });

  it("refuses a file in another encoding, by line and column, instead of merging its classes", async () => {
    const rows = "a,b,y\n1,1,B\u00e4r\n1,2,B\u00f6r\n1,3,Fox\n";
    await assert.rejects(open(Buffer.from(rows, "latin1")), {
      code: "invalid_input",
      message:
        /data\.csv, line 2: byte 6 of the line in column "y" is 0xE4, after "1,1,B", and not UTF-8; save the file as UTF-8/,
    });
    assert.deepEqual((await open(`\ufeff${rows}`)).train.label.classNames, ["Bär", "Bör", "Fox"]);
  });

  for (const [name, text, options, message] of faults) {
    it(`refuses ${name}`, () => assert.rejects(open(text, options), { name: "IsobatchError", message }));
  }
});
