import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { decodeBatch } from "../decode-batch.js";
import { openData } from "./open-data.js";
import { readText } from "./text.js";

describe("readText()", () => {
  let place: string;
  before(() => {
    place = mkdtempSync(join(tmpdir(), "isobatch-text-"));
  });
  after(() => rmSync(place, { recursive: true, force: true }));

  let files = 0;
  const file = (content: string | Buffer): string => {
    const path = join(place, `text-${files++}`);
    writeFileSync(path, content);
    return path;
  };
  const spec = (path: string, fields: object = {}) => ({
    kind: "text" as const,
    file: path,
    context: 4,
    testFraction: 0.5,
    limit: null,
    testLimit: null,
    ...fields,
  });

  it("cuts windows that start anywhere, and labels each character with the next one", async () => {
    const { train } = await readText(spec(file("hello, world! and so on")));
    const words = train.label.classNames!;
    assert.equal(train.samples, 12 - 4); // of the 12 characters of the first half
    const { inputs, labels } = train.read(Uint32Array.of(0, 7));
    const text = (numbers: Uint8Array): string => [...numbers].map((number) => words[number]).join("");
    assert.equal(text(inputs), "hellworl");
    assert.equal(text(labels), "elloorld");
    assert.deepEqual(train.label.shape, [4]);
    assert.equal(train.label.classes, words.length);
  });

  it("sorts the vocabulary of the whole text by code point, so that both parts number it alike", async () => {
    const { train, test } = await readText(spec(file("zab😀é zab zaQ")));
    assert.deepEqual(train.label.classNames, [" ", "Q", "a", "b", "z", "é", "😀"]);
    assert.deepEqual(test!.label, train.label);
  });

  it("cuts the test part into windows that don't overlap", async () => {
    const { test } = await readText(spec(file("abcdefghij0123456789"), { context: 3 }));
    assert.equal(test!.samples, 3);
    const words = test!.label.classNames!;
    const { inputs, labels } = test!.read(Uint32Array.of(0, 1, 2));
    assert.equal([...inputs].map((number) => words[number]).join(""), "012345678");
    assert.equal([...labels].map((number) => words[number]).join(""), "123456789");
  });

  it("numbers more characters than a byte holds", async () => {
    const characters = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
    const { train } = await readText(spec(file(characters), { testFraction: 0 }));
    const { inputs, labels } = train.read(Uint32Array.of(295));
    const decoded = decodeBatch(train, inputs, labels, 1);
    assert.deepEqual([...decoded.inputs], [295, 296, 297, 298]);
    assert.deepEqual([...decoded.labels], [296, 297, 298, 299]);
  });

  it("has a fingerprint that changes with the text and with the window", async () => {
    const print = async (content: string, fields: object = {}) =>
      (await openData({ dataset: spec(file(content), fields) })).fingerprint;
    const fingerprint = await print("to be or not to be");
    assert.equal(await print("to be or not to be"), fingerprint);
    assert.notEqual(await print("to be or not to bo"), fingerprint);
    assert.notEqual(await print("to be or not to be", { context: 3 }), fingerprint);
  });

  it("names what is missing, too short, or no text", async () => {
    await assert.rejects(readText(spec(join(place, "none"))), /can't be read: .*; name a text file with --data/);
    await assert.rejects(readText(spec(place)), /can't be read: a folder is where a file should be/);
    await assert.rejects(readText(spec(file("short"))), /has 3 characters to train on, and a sample takes .* = 5/);
    await assert.rejects(
      readText(spec(file(Buffer.from([0x61, 0xff, 0xfe])))),
      /line 1: byte 2 of the line is 0xFF, after "a", and not UTF-8/,
    );
  });
});
