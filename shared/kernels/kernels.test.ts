import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BLOCK_LENGTH } from "../layout/index.js";
import { createRandom } from "../random.js";
import {
  type AdamConstants,
  createKernelMemory,
  createReferenceKernels,
  instantiateKernels,
  type Kernels,
} from "./index.js";

const NUMBERS = [0, -0, 1, -1, 1e-45, -1e-45, 1.1754942e-38, 1.17549435e-38, 3.4028235e38, Infinity, -Infinity, NaN];

/** Any float32 at all, the awkward ones often. */
const number32 = fc.oneof(
  { weight: 3, arbitrary: fc.float({ min: -10, max: 10, noNaN: true }) },
  { weight: 2, arbitrary: fc.float() },
  { weight: 1, arbitrary: fc.constantFrom(...NUMBERS) },
);
/** A kernel's constant is a float64 that it rounds itself. */
const number64 = fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.double(), fc.constantFrom(...NUMBERS));
const constants: fc.Arbitrary<AdamConstants> = fc.record({
  mKeep: number64,
  mAdd: number64,
  vKeep: number64,
  vAdd: number64,
  squareOfSum: fc.boolean(),
  stepSize: number64,
  vScale: number64,
  epsilon: number64,
  decay: number64,
});

const ARRAYS = 5;
const LENGTH_MAX = 40;
/** Five disjoint arrays of one length at any multiples of 4, in a memory full of other numbers. */
const arrays = fc.record({
  length: fc.nat(LENGTH_MAX),
  gaps: fc.array(fc.nat(5), { minLength: ARRAYS, maxLength: ARRAYS }),
  contents: fc.array(number32, { minLength: ARRAYS * (LENGTH_MAX + 5), maxLength: ARRAYS * (LENGTH_MAX + 5) }),
});

/** The memory's bits; every NaN counts as one number, since no standard fixes its payload. */
function bitsOf(memory: WebAssembly.Memory, elements: number): Uint32Array {
  return new Uint32Array(new Float32Array(memory.buffer, 0, elements).map((x) => (Number.isNaN(x) ? NaN : x)).buffer);
}

const memories = [createKernelMemory(65_536), createKernelMemory(65_536)];
const [simd, reference] = [instantiateKernels(memories[0]), createReferenceKernels(memories[1])];

/** Runs `call` with both kernels on the same memory and compares what they return and all that memory holds. */
function agree<T>(
  call: (kernels: Kernels, length: number, offsets: number[], constants: T) => unknown,
  constants: fc.Arbitrary<T>,
) {
  fc.assert(
    fc.property(arrays, constants, ({ length, gaps, contents }, k) => {
      for (const memory of memories) new Float32Array(memory.buffer).set(contents);
      let end = 0;
      const offsets = gaps.map((gap) => {
        const offset = end + gap;
        end = offset + length;
        return 4 * offset;
      });
      const results = [call(simd, length, offsets, k), call(reference, length, offsets, k)];
      assert.deepEqual(results[0], results[1]);
      assert.deepEqual(bitsOf(memories[0], contents.length), bitsOf(memories[1], contents.length));
    }),
    { numRuns: 300 },
  );
}

describe("instantiateKernels() equals createReferenceKernels() bit by bit", () => {
  const pair = fc.tuple(number64, number64);

  it("in leaf()", () => agree((k, length, [g, s1, s2], [w1, w2]) => k.leaf(g, s1, s2, length, w1, w2), pair));
  it("in leaf() onto the gradient itself", () =>
    agree((k, length, [g, s2], [w1, w2]) => k.leaf(g, g, s2, length, w1, w2), pair));
  it("in addLeaf()", () => agree((k, length, [g, s1, s2], [w1, w2]) => k.addLeaf(g, s1, s2, length, w1, w2), pair));
  it("in add()", () => agree((k, length, [target, source]) => k.add(target, source, length), fc.constant(0)));
  it("in addInto()", () => agree((k, length, [target, a, b]) => k.addInto(target, a, b, length), fc.constant(0)));
  it("in addInto() onto its first operand", () =>
    agree((k, length, [a, b]) => k.addInto(a, a, b, length), fc.constant(0)));
  it("in addInto() onto its second operand", () =>
    agree((k, length, [a, b]) => k.addInto(b, a, b, length), fc.constant(0)));
  it("in scale()", () => agree((k, length, [target], factor) => k.scale(target, length, factor), number64));
  it("in average()", () =>
    agree((k, length, [theta, s1], [keep, add]) => k.average(theta, s1, length, keep, add), pair));
  it("in roundBfloat16()", () =>
    agree((k, length, [source, target]) => k.roundBfloat16(source, target, length), fc.constant(0)));
  it("in roundBfloat16() onto the numbers themselves", () =>
    agree((k, length, [target]) => k.roundBfloat16(target, target, length), fc.constant(0)));
  it("in packBfloat16() and unpackBfloat16()", () =>
    agree((k, length, [source, packed, target]) => {
      k.packBfloat16(source, packed, length);
      k.unpackBfloat16(packed, target, length);
    }, fc.constant(0)));
  it("in adam()", () =>
    agree((k, length, [theta, m, v, s1, s2], c) => k.adam(theta, m, v, s1, s2, length, c), constants));
  it("in allFinite()", () => agree((k, length, [offset]) => k.allFinite(offset, length), fc.constant(0)));
  it("in squaredNorm()", () => agree((k, length, [offset]) => k.squaredNorm(offset, length), fc.constant(0)));
  it("in sum()", () => agree((k, length, [offset]) => k.sum(offset, length), fc.constant(0)));
});

describe("float64 sums over blocks", () => {
  const lengths = [1, 7, 8, BLOCK_LENGTH - 1, BLOCK_LENGTH, BLOCK_LENGTH + 1, 3 * BLOCK_LENGTH + 5];
  const bytes = 4 * (4 * BLOCK_LENGTH);
  const memory = createKernelMemory(bytes);
  const values = new Float32Array(memory.buffer);
  const random = createRandom(1);
  for (let i = 0; i < values.length; i++) values[i] = (random.next() - 0.5) * 2 ** (60 * random.next());
  const kernels = instantiateKernels(memory);
  const plain = createReferenceKernels(memory);

  for (const length of lengths) {
    it(`have the reference's bits over ${length} elements`, () => {
      assert.equal(kernels.squaredNorm(4, length), plain.squaredNorm(4, length));
      assert.equal(kernels.sum(4, length), plain.sum(4, length));
    });
  }

  it("are those of the blocks, added in order", () => {
    const offsets = [0, 4 * BLOCK_LENGTH, 8 * BLOCK_LENGTH];
    const whole = kernels.squaredNorm(0, 3 * BLOCK_LENGTH);
    assert.equal(
      whole,
      offsets.reduce((sum, offset) => sum + kernels.squaredNorm(offset, BLOCK_LENGTH), 0),
    );
  });

  it("lose nothing of squares that float32 could not hold", () => {
    values.set([1e-30, 3e30], 0);
    assert.equal(kernels.squaredNorm(0, 2), Math.fround(3e30) ** 2 + Math.fround(1e-30) ** 2);
    assert.equal(kernels.squaredNorm(0, 1), Math.fround(1e-30) ** 2);
  });
});

describe("leaf()", () => {
  it("keeps squares that are subnormal", () => {
    const memory = createKernelMemory(16);
    const values = new Float32Array(memory.buffer, 0, 3);
    values[0] = 1e-20;
    instantiateKernels(memory).leaf(0, 4, 8, 1, 1, 1);
    assert.deepEqual([...values], [1e-20, 1e-20, 1e-40].map(Math.fround));
  });
});

describe("createKernelMemory()", () => {
  it("is shared, of whole pages, and the kernels see what it grows by", () => {
    const memory = createKernelMemory(65_537);
    const kernels = instantiateKernels(memory);
    assert.ok(memory.buffer instanceof SharedArrayBuffer);
    assert.equal(memory.buffer.byteLength, 131_072);
    assert.throws(() => kernels.scale(131_072, 1, 2), { name: "RuntimeError" });
    memory.grow(1);
    new Float32Array(memory.buffer)[32_768] = 3;
    kernels.scale(131_072, 1, 2);
    assert.equal(new Float32Array(memory.buffer)[32_768], 6);
  });

  it("refuses more than wasm32's end pointers reach", () => {
    assert.throws(() => createKernelMemory(2 ** 32), RangeError);
  });
});

describe("kernels.wasm", () => {
  it("holds no data, so that instantiating it over a memory in use changes nothing", () => {
    const module = readFileSync(new URL("./kernels.wasm", import.meta.url));
    // Sections follow the 8 bytes of magic and version: an id, a LEB128 length, the contents. 11 is Data.
    const ids: number[] = [];
    for (let at = 8; at < module.length; ) {
      ids.push(module[at++]);
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = module[at++];
        length |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      at += length;
    }
    assert.ok(ids.includes(10), "a code section");
    assert.ok(!ids.includes(11), "no data section");
  });
});
