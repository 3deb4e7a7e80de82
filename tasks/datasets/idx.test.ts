import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { parseIdx } from "./idx.js";
import { openData } from "./open-data.js";

/** An IDX file as its format says: magic number, big-endian sizes, bytes. */
function idx(shape: readonly number[], data: readonly number[], type = 8): Buffer {
  const sizes = shape.flatMap((size) => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]);
  return Buffer.from([0, 0, type, shape.length, ...sizes, ...data]);
}

describe("parseIdx()", () => {
  it("reads the shape and the bytes", () => {
    assert.deepEqual(parseIdx(idx([2, 3], [1, 2, 3, 4, 5, 6]), "x"), {
      shape: [2, 3],
      data: Buffer.from([1, 2, 3, 4, 5, 6]),
    });
  });

  const damages: [string, Buffer, RegExp][] = [
    ["an empty file", Buffer.alloc(0), /^x is not a usable IDX file: it has only 0 bytes; copy it again.$/],
    ["another kind of file", Buffer.from("PK\x03\x04 and so on"), /does not start with two zero bytes/],
    ["a file cut short", idx([2, 3], [1, 2, 3, 4, 5]), /2 × 3 elements take 6 bytes, but 5 follow/],
    ["a file too long", idx([2], [1, 2, 3]), /2 elements take 2 bytes, but 3 follow/],
    ["a header cut short", idx([2, 3], []).subarray(0, 7), /its header names 2 dimensions/],
    ["no dimensions", idx([], []), /its header names 0 dimensions/],
    ["floats", idx([1], [0, 0, 0, 0], 13), /^x holds float32; only unsigned bytes \(uint8\) can be read.$/],
  ];
  for (const [name, bytes, message] of damages) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseIdx(bytes, "x"), { message });
    });
  }
});

describe("openData() of an IDX folder", () => {
  let folder: string;
  const write = (name: string, bytes: Buffer): Promise<void> => writeFile(join(folder, name), bytes);
  const dataset = (limit: number | null = null) => ({ kind: "idx", folder, limit, testLimit: null }) as const;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "isobatch-idx-"));
    await write("train-images-idx3-ubyte", idx([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    await write("train-labels-idx1-ubyte", idx([3], [0, 2, 1]));
  });
  after(() => rm(folder, { recursive: true }));

  it("gives images a channel, and rows by number", async () => {
    const { train, test } = await openData({ dataset: dataset() });
    assert.deepEqual(train.input, { shape: [2, 2, 1], type: "uint8", scale: 1 / 255 });
    assert.deepEqual(train.label, { shape: [], type: "uint8", classes: 3 });
    assert.equal(test, undefined);
    assert.deepEqual(train.read(Uint32Array.of(2, 0)), {
      inputs: Uint8Array.of(9, 10, 11, 12, 1, 2, 3, 4),
      labels: Uint8Array.of(1, 0),
    });
    assert.throws(() => train.read(Uint32Array.of(3)), /sample 3 of 3/);
  });

  it("has another fingerprint for other contents, and the same for a copy, gzipped or not", async () => {
    const { fingerprint } = await openData({ dataset: dataset() });
    assert.match(fingerprint, /^[0-9a-f]{64}$/);
    assert.notEqual((await openData({ dataset: dataset(2) })).fingerprint, fingerprint);
    const copy = await mkdtemp(join(tmpdir(), "isobatch-idx-copy-"));
    const images = idx([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await writeFile(join(copy, "train-images-idx3-ubyte.gz"), gzipSync(images));
    await writeFile(join(copy, "train-labels-idx1-ubyte"), idx([3], [0, 2, 1]));
    assert.equal((await openData({ dataset: dataset() }, { folder: copy, fingerprint })).fingerprint, fingerprint);
    await writeFile(join(copy, "train-labels-idx1-ubyte"), idx([3], [0, 2, 2]));
    await assert.rejects(openData({ dataset: dataset() }, { folder: copy, fingerprint }), {
      code: "refused",
      message: /The data in .*isobatch-idx-copy.* has the fingerprint .* but the run trains on .*; copy/,
    });
    await rm(copy, { recursive: true });
  });

  it("uses only the first samples up to a limit", async () => {
    const { train } = await openData({ dataset: dataset(2) });
    assert.equal(train.samples, 2);
    assert.throws(() => train.read(Uint32Array.of(2)), /sample 2 of 2/);
    assert.equal(train.label.classes, 3, "the classes are those of the whole file");
  });

  it("refuses parts that don't agree, and says which", async () => {
    await write("t10k-images-idx3-ubyte", idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
    await assert.rejects(openData({ dataset: dataset() }), /There is no .*t10k-labels-idx1-ubyte/);
    await write("t10k-labels-idx1-ubyte", idx([3], [0, 0, 0]));
    await assert.rejects(openData({ dataset: dataset() }), /has 2 images, but .*t10k-labels-idx1-ubyte has 3 labels/);
    await write("t10k-labels-idx1-ubyte", idx([2], [1, 2]));
    assert.equal((await openData({ dataset: dataset() })).test?.label.classes, 3);
    await write("t10k-labels-idx1-ubyte", idx([2], [0, 3]));
    await assert.rejects(
      openData({ dataset: dataset() }),
      /t10k-labels-idx1-ubyte: label 1, counted from 0, is "3", a class that .*train-images-idx3-ubyte does not have; it has "0", "1", "2"\./,
    );
    await write("t10k-images-idx3-ubyte", idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    await assert.rejects(
      openData({ dataset: dataset() }),
      /t10k-images-idx3-ubyte has samples whose input has the shape \[2, 3, 1\], but in .*train-images-idx3-ubyte it is \[2, 2, 1\]/,
    );
  });

  it("names the folder that is missing", async () => {
    const missing = { ...dataset(), folder: "/nowhere/at/all" };
    await assert.rejects(openData({ dataset: missing }), /There is no \/nowhere\/at\/all\/train-images-idx3-ubyte/);
  });
});

describe("openData() of MNIST", () => {
  it("finds the published 60,000 + 10,000 digits", async () => {
    const { train, test } = await openData({ dataset: { kind: "mnist", limit: null, testLimit: null } });
    assert.deepEqual([train.samples, test?.samples, train.label.classes], [60_000, 10_000, 10]);
    // The first labels of each part, as published.
    assert.deepEqual([...train.read(Uint32Array.of(0, 1, 2, 3, 4)).labels], [5, 0, 4, 1, 9]);
    assert.deepEqual([...test!.read(Uint32Array.of(0, 1, 2, 3, 4)).labels], [7, 2, 1, 0, 4]);
  });
});
