import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { IsobatchError } from "../../shared/errors.js";
import { decodeHeader, decodeHeaderLength, encodeHeader, LENGTH_BYTES } from "./safetensors.js";

const tensors = [
  { name: "dense/kernel", shape: [3, 4] },
  { name: "dense/bias", shape: [4] },
  { name: "scalar", shape: [] },
];
const dataBytes = 4 * (12 + 4 + 1);

/** Decodes the start of a file that has `data` bytes after it. */
function decode(start: Buffer, data: number) {
  const fileBytes = start.length + data;
  const length = decodeHeaderLength(start.subarray(0, LENGTH_BYTES), fileBytes);
  return decodeHeader(start.subarray(LENGTH_BYTES, LENGTH_BYTES + length), fileBytes);
}

/** A file's start from header text. */
function startOf(json: string): Buffer {
  const start = Buffer.alloc(LENGTH_BYTES + Buffer.byteLength(json));
  start.writeBigUInt64LE(BigInt(start.length - LENGTH_BYTES));
  start.write(json, LENGTH_BYTES);
  return start;
}

const isDamaged = (error: unknown) => error instanceof IsobatchError && error.code === "damaged";

describe("encodeHeader()", () => {
  it("lays tensors back to back and keeps names, shapes and metadata", () => {
    const start = encodeHeader(tensors, { task: 'mn"ist ∑', step: "7" });
    const header = decode(start, dataBytes);
    assert.deepEqual(header.tensors, [
      { name: "dense/kernel", shape: [3, 4], from: 0, end: 48 },
      { name: "dense/bias", shape: [4], from: 48, end: 64 },
      { name: "scalar", shape: [], from: 64, end: 68 },
    ]);
    assert.deepEqual(
      [...header.metadata],
      [
        ["task", 'mn"ist ∑'],
        ["step", "7"],
      ],
    );
    assert.equal(header.dataStart, start.length);
  });

  it("starts the data at a multiple of 8, whatever the names' length", () => {
    for (let length = 1; length <= 16; length++) {
      const start = encodeHeader([{ name: "x".repeat(length), shape: [1] }], {});
      assert.equal(start.length % 8, 0);
      assert.equal(start[LENGTH_BYTES], "{".charCodeAt(0));
    }
  });

  it("keeps awkward names", () => {
    for (const name of ["0", "__proto__", "constructor", 'a"b', "ä/🙂"]) {
      assert.equal(decode(encodeHeader([{ name, shape: [2] }], {}), 8).tensors[0].name, name);
    }
  });
});

describe("decodeHeader()", () => {
  const entry = (shape: unknown, offsets: unknown, dtype = "F32") => ({ dtype, shape, data_offsets: offsets });
  const cases: [string, unknown][] = [
    ["an array", []],
    ["no object for a tensor", { a: 1 }],
    ["another type", { a: entry([2], [0, 8], "F64") }],
    ["a negative size", { a: entry([-2], [0, 8]) }],
    ["a fractional size", { a: entry([1.5], [0, 6]) }],
    ["a product past the safe integers", { a: entry([2 ** 40, 2 ** 40], [0, 8]) }],
    ["one offset", { a: entry([2], [0]) }],
    ["offsets that don't fit the shape", { a: entry([3], [0, 8]) }],
    ["a gap", { a: entry([1], [4, 8]) }],
    ["an overlap", { a: entry([2], [0, 8]), b: entry([1], [4, 8]) }],
    ["less data than the file has", { a: entry([1], [0, 4]) }],
    ["more data than the file has", { a: entry([3], [0, 12]) }],
    ["metadata that is not an object", { __metadata__: 3, a: entry([2], [0, 8]) }],
    ["metadata that is not a string", { __metadata__: { a: 1 }, b: entry([2], [0, 8]) }],
  ];
  for (const [what, header] of cases) {
    it(`refuses ${what}`, () => {
      assert.throws(() => decode(startOf(JSON.stringify(header)), 8), isDamaged);
    });
  }

  it("refuses a length that the file can't hold, before taking memory", () => {
    for (const length of [0n, 1n, 101n, 2n ** 40n, 2n ** 64n - 1n]) {
      const first = Buffer.alloc(LENGTH_BYTES);
      first.writeBigUInt64LE(length);
      assert.throws(() => decodeHeaderLength(first, 108), isDamaged);
    }
    assert.throws(() => decodeHeaderLength(Buffer.alloc(3), 3), isDamaged);
  });

  it("never fails otherwise than with `damaged`, whatever the bytes", () => {
    const start = encodeHeader(tensors, { step: "7" });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ minLength: LENGTH_BYTES, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          fc.json().map(startOf),
          fc.tuple(fc.nat(start.length - 1), fc.nat(255)).map(([at, value]) => {
            const changed = Buffer.from(start);
            changed[at] = value;
            return changed;
          }),
        ),
        fc.nat(200),
        (bytes, data) => {
          try {
            decode(bytes, data);
          } catch (error) {
            assert.ok(isDamaged(error), String(error));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
