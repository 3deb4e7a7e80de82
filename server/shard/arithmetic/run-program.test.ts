import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createKernelMemory, instantiateKernels, type Kernels } from "../../../shared/kernels/index.js";
import type { ChunkProgram, Operand } from "./program.js";
import { runProgram, SCRATCH_BYTES, scratchAt, updatePlan } from "./run-program.js";
import type { ChunkPlace } from "./segment.js";
import { bitsOf, leafOf, numbersOf, type PlainSums, planFor, plus } from "./sums.test.helper.js";

/** Ten blocks and a bit: more than is read from a file at once. */
const LENGTH = 41_000;
const BYTES = 4 * LENGTH;
const PLACE: ChunkPlace = {
  segment: 0,
  length: LENGTH,
  trained: true,
  parts: [{ from: 0, length: LENGTH, theta: 0, decays: true, momentum: 0 }],
};
const [M, V, TARGET, OPERANDS, OPERANDS_MAX] = [BYTES, 2 * BYTES, 3 * BYTES, 5 * BYTES, 4];
const SCRATCH = OPERANDS + 2 * OPERANDS_MAX * BYTES;
const LEAF = { w1: 0.5, w2: 0.25 };

const memory = createKernelMemory(SCRATCH + SCRATCH_BYTES);
const array = (at: number): Float32Array => new Float32Array(memory.buffer, at, LENGTH);

/** Kernels after each of which whatever it has read of borrowed memory is something else. */
function createSpoilingKernels(borrowed: readonly { readonly at: number; readonly end: number }[]): Kernels {
  const kernels = instantiateKernels(memory);
  const spoil = (at: number, length: number): void => {
    if (borrowed.some((range) => range.at <= at && at < range.end)) {
      new Float32Array(memory.buffer, at, length).fill(Number.NaN);
    }
  };
  return {
    ...kernels,
    leaf(g, s1, s2, length, w1, w2) {
      kernels.leaf(g, s1, s2, length, w1, w2);
      spoil(g, length);
    },
    addLeaf(g, s1, s2, length, w1, w2) {
      kernels.addLeaf(g, s1, s2, length, w1, w2);
      spoil(g, length);
    },
    add(target, source, length) {
      kernels.add(target, source, length);
      spoil(source, length);
    },
    addInto(target, a, b, length) {
      kernels.addInto(target, a, b, length);
      spoil(a, length);
      spoil(b, length);
    },
    squaredNorm(at, length) {
      const norm = kernels.squaredNorm(at, length);
      spoil(at, length);
      return norm;
    },
  };
}

const operand = fc.record({ isLeaf: fc.boolean(), own: fc.boolean() });

describe("runProgram()", () => {
  const numbers = numbersOf(5);
  const contents = Array.from({ length: OPERANDS_MAX }, () => ({ s1: numbers(LENGTH), s2: numbers(LENGTH) }));

  /** Puts the operands into the memory. @returns them, and their sum in plain loops */
  function lay(given: readonly { isLeaf: boolean; own: boolean }[]): { operands: Operand[]; sum: PlainSums } {
    const operands = given.map(({ isLeaf, own }, i): Operand => {
      const s1 = OPERANDS + 2 * i * BYTES;
      array(s1).set(contents[i].s1);
      array(s1 + BYTES).set(contents[i].s2);
      return { s1, s2: s1 + BYTES, file: undefined, leaf: isLeaf ? LEAF : undefined, own };
    });
    const sum = given
      .map(({ isLeaf }, i) => (isLeaf ? leafOf(contents[i].s1, LEAF) : contents[i]))
      .reduce((a, b) => plus(a, b));
    return { operands, sum };
  }

  it("adds operands from left to right, and reads what is borrowed only once", () => {
    fc.assert(
      fc.property(fc.array(operand, { minLength: 2, maxLength: OPERANDS_MAX }), (given) => {
        const { operands, sum } = lay(given);
        const borrowed = operands.filter(({ own }) => !own).map(({ s1 }) => ({ at: s1, end: s1 + 2 * BYTES }));
        const kernels = createSpoilingKernels(borrowed);
        const segment = { memory, m: M, v: V, sumBytes: BYTES };
        const target = { s1: TARGET, s2: TARGET + BYTES, raw: false };
        const program: ChunkProgram = { chunk: 0, operands, target };
        runProgram({ kernels, segment, scratch: scratchAt(SCRATCH) }, PLACE, program, undefined);
        assert.deepEqual(bitsOf(array(TARGET)), bitsOf(sum.s1));
        assert.deepEqual(bitsOf(array(TARGET + BYTES)), bitsOf(sum.s2));
      }),
      { numRuns: 20 },
    );
  });

  it("checks and uses the same copy of what is borrowed, of a single operand too", () => {
    for (const isLeaf of [true, false]) {
      const run = (spoiling: boolean) => {
        const { operands } = lay([{ isLeaf, own: false }]);
        for (const at of [0, M, V]) array(at).fill(0.5);
        const borrowed = spoiling ? [{ at: OPERANDS, end: OPERANDS + 2 * BYTES }] : [];
        const means = {
          kernels: createSpoilingKernels(borrowed),
          segment: { memory, m: M, v: V, sumBytes: BYTES },
          scratch: scratchAt(SCRATCH),
        };
        const norms = runProgram(means, PLACE, { chunk: 0, operands, target: undefined }, updatePlan(planFor(1)));
        return { norms, theta: bitsOf(array(0)), m: bitsOf(array(M)), v: bitsOf(array(V)) };
      };
      assert.deepEqual(run(true), run(false));
    }
  });

  it("does not update with sums that are not finite, from their piece on", () => {
    const { operands } = lay([
      { isLeaf: true, own: false },
      { isLeaf: true, own: false },
    ]);
    const bad = 20_000;
    array(operands[1].s1)[bad] = Number.NaN;
    for (const at of [0, M, V]) array(at).fill(0.5);
    const means = {
      kernels: instantiateKernels(memory),
      scratch: scratchAt(SCRATCH),
      segment: { memory, m: M, v: V, sumBytes: BYTES },
    };
    const norms = runProgram(means, PLACE, { chunk: 0, operands, target: undefined }, updatePlan(planFor(2)));
    assert.ok(!Number.isFinite(norms!.squaredNorm1));
    for (const at of [0, M, V]) assert.ok(array(at).every(Number.isFinite));
    assert.ok(
      array(0)
        .subarray(bad)
        .every((x) => x === 0.5),
    );
  });

  it("reads zeros where a file ends before its sums do, so that a worker that cuts it off can't end the run", (test) => {
    const folder = mkdtempSync(join(tmpdir(), "isobatch-file-"));
    test.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "sums"), Buffer.from(new Float32Array(LENGTH - 1).fill(3).buffer));
    const file = openSync(join(folder, "sums"), "r");
    test.after(() => closeSync(file));
    const means = {
      kernels: instantiateKernels(memory),
      scratch: scratchAt(SCRATCH),
      segment: { memory, m: M, v: V, sumBytes: BYTES },
    };
    const target = { s1: TARGET, s2: TARGET + BYTES, raw: true };
    const operands = [{ s1: 0, s2: 0, file, leaf: LEAF, own: false }];
    const sums = array(TARGET).fill(7);
    runProgram(means, PLACE, { chunk: 0, operands, target }, updatePlan(planFor(1)));
    assert.deepEqual([sums[0], sums[LENGTH - 2], sums[LENGTH - 1]], [3, 3, 0]);
  });
});
