import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { decodeBatch } from "../decode-batch.js";
import { readCifar10 } from "./cifar10.js";

const ROW_BYTES = 3073;

/** Row `n` of a file: its label, then each colour's plane, whose pixel i is n + i + 100·colour, modulo 256. */
const row = (n: number, label = n % 10): Buffer =>
  Buffer.from([label, ...Array.from({ length: 3072 }, (_, i) => (n + (i % 1024) + 100 * Math.floor(i / 1024)) % 256)]);
const rows = (first: number, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => row(first + i)));

describe("readCifar10()", () => {
  let place: string;
  before(() => {
    place = mkdtempSync(join(tmpdir(), "isobatch-cifar-"));
  });
  after(() => rmSync(place, { recursive: true, force: true }));

  /** Six files of two rows; sample number = row number. */
  function folder(name: string, changes: Record<string, Buffer> = {}): string {
    const path = join(place, name);
    mkdirSync(path, { recursive: true });
    const files: Record<string, Buffer> = { "test_batch.bin": rows(50, 3), ...changes };
    for (let n = 1; n <= 5; n++) files[`data_batch_${n}.bin`] ??= rows(2 * (n - 1), 2);
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes);
    return path;
  }
  const read = (path: string, fields: object = {}) =>
    readCifar10({ kind: "cifar10", folder: path, augment: "none", limit: null, testLimit: null, ...fields });

  it("reads the rows of all files in order, with the colours of a pixel side by side", async () => {
    const { train, test } = await read(folder("plain"));
    assert.equal(train.samples, 10);
    assert.equal(test.samples, 3);
    const { inputs, labels } = train.read(Uint32Array.of(7, 0));
    assert.deepEqual([...labels], [7, 0]);
    assert.deepEqual([...inputs.subarray(0, 6)], [7, 107, 207, 8, 108, 208]);
    assert.deepEqual([...inputs.subarray(3072 + 3 * 40, 3072 + 3 * 40 + 3)], [40, 140, 240]);
    assert.deepEqual([...test.read(Uint32Array.of(2)).labels], [2]);
  });

  it("normalises each colour by its own mean and deviation", async () => {
    const { train } = await read(folder("normal"));
    const { inputs, labels } = train.read(Uint32Array.of(7));
    const decoded = decodeBatch(train, inputs, labels, 1).inputs;
    const expected = [
      [7, 0.4914, 0.247],
      [107, 0.4822, 0.2435],
      [207, 0.4465, 0.2616],
    ].map(([byte, mean, deviation]) => (byte / 255 - mean) / deviation);
    for (const [c, value] of expected.entries()) {
      assert.ok(Math.abs(decoded[c] - value) < 1e-6, `${decoded[c]}, not ${value}`);
    }
  });

  it("finds the folder that the archive unpacks to", async () => {
    folder("outer/cifar-10-batches-bin");
    assert.equal((await read(join(place, "outer"))).train.samples, 10);
  });

  it("takes the first samples up to a limit", async () => {
    const { train, test } = await read(folder("limited"), { limit: 3, testLimit: 1 });
    assert.equal(train.samples, 3);
    assert.equal(test.samples, 1);
    assert.deepEqual([...train.read(Uint32Array.of(0, 1, 2)).labels], [0, 1, 2]);
  });

  it("names what is missing, cut off, or foreign", async () => {
    await assert.rejects(read(join(place, "nowhere")), /There is no data_batch_1\.bin in .*--data/);
    const cut = folder("cut", { "data_batch_4.bin": rows(6, 2).subarray(0, ROW_BYTES + 5) });
    await assert.rejects(read(cut), /data_batch_4\.bin is not a file of CIFAR-10's binary version: its 3078 bytes/);
    const foreign = folder("foreign", { "test_batch.bin": Buffer.concat([row(0), row(1, 10)]) });
    await assert.rejects(read(foreign), /test_batch\.bin .* row 1 has the label 10, and labels go to 9/);
  });
});
