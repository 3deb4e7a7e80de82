import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { DatasetSpec } from "../../tasks/index.js";
import { lineOf } from "../commands/predict.js";
import { readSamples } from "./read-samples.js";

const folder = mkdtempSync(join(tmpdir(), "isobatch-predict-"));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const csv: DatasetSpec = {
  kind: "csv",
  ...{ file: "", testFile: null, testFraction: 0, header: true, delimiter: ";", label: "kind" },
  target: "classes",
  ...{ ignore: [], limit: null, testLimit: null },
};
const mnist: DatasetSpec = { kind: "mnist", limit: null, testLimit: null };

describe("readSamples()", () => {
  it("reads the numbers of a CSV file's rows by column, also where a cell has none", async () => {
    const path = file("a.csv", "weight;kind;size\n1.5;gala;2\n-3;;\n");
    assert.deepEqual(await readSamples(path, csv), [
      { weight: 1.5, kind: Number.NaN, size: 2 },
      { weight: -3, kind: Number.NaN, size: Number.NaN },
    ]);
  });

  it("reads JSON lines, and an array of samples, for every task", async () => {
    assert.deepEqual(await readSamples(file("a.jsonl", "[1,2]\n\n[3,4]\n"), mnist), [
      [1, 2],
      [3, 4],
    ]);
    assert.deepEqual(await readSamples(file("a.json", '[{"weight":1},"text"]'), csv), [{ weight: 1 }, "text"]);
  });

  it("says where a file is wrong", async () => {
    const fails = (path: string, words: RegExp) =>
      assert.rejects(readSamples(path, mnist), { code: "invalid_input", message: words });
    await fails(file("b.jsonl", "[1]\nx\n"), /b\.jsonl, line 2 is not JSON\.$/);
    await fails(file("b.json", '[[1],["a"]]'), /b\.json, sample 1 is not a sample: give its numbers/);
    await fails(file("c.json", "7"), /c\.json must hold a JSON array/);
    await fails(join(folder, "none.json"), /^The data file .*none\.json can't be read: there is no such file/);
  });
});

describe("lineOf()", () => {
  const outputs = Float32Array.of(0);
  it("shows the class and its probability, or the numbers", () => {
    const probabilities = Float32Array.of(0.25, 0.75);
    assert.equal(lineOf({ outputs, probabilities, class: 1, label: "gala" }), "gala  75.00 %");
    assert.equal(lineOf({ outputs, probabilities: Float32Array.of(0.25), class: 0 }), "0  75.00 %");
    // Two positions with two classes each.
    const positions = Float32Array.of(0.875, 0.125, 0.25, 0.75);
    assert.equal(lineOf({ outputs, probabilities: positions, class: 1, label: "b" }), "b  75.00 %");
    assert.equal(lineOf({ outputs: Float32Array.of(1.5, -2) }), "1.50  -2.00");
  });
});
