import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Chunk,
  createLayout,
  type Layout,
  SEGMENT_LENGTH_MAX,
  type TensorSpec,
} from "../../shared/layout/index.js";
import type { StepPlan } from "../../shared/steps/index.js";
import type { SliceState } from "../checkpoint/index.js";
import { sumsBytes } from "./arithmetic/source.js";
import type { SliceMove } from "./arithmetic/staged.js";
import {
  bitsOf,
  bytesOf,
  fill,
  leafOf,
  numbersOf,
  type PlainSums,
  planFor,
  plus,
  updatePlainly,
} from "./arithmetic/sums.test.helper.js";
import { createSlice, type ShardSlice } from "./slice.js";

const parameter = (name: string, shape: number[], decay: boolean): TensorSpec => ({
  name,
  shape,
  decay,
  kind: "parameter",
});
const tail = (name: string, length: number, momentum: number): TensorSpec => ({
  name,
  shape: [length],
  decay: false,
  kind: "tail",
  momentum,
});

/** Three chunks of parameters, the second with a border between tensors that decay and not, a tail, a frozen one. */
const LAYOUT = createLayout([
  parameter("a/kernel", [50, 100], true),
  parameter("a/bias", [100], false),
  parameter("b/kernel", [40, 100], true),
  tail("norm/mean", 30, 0.9),
  tail("norm/variance", 30, 0.99),
  { name: "frozen/kernel", shape: [500], decay: false, kind: "frozen" },
]);

const ALL = { firstChunk: 0, endChunk: LAYOUT.chunks.length };
const KAPPA = 6;

const planOf = (squareOfSum: boolean): StepPlan => planFor(KAPPA, squareOfSum);

const numbers = numbersOf(42);
const positive = (length: number): Float32Array => numbers(length).map(Math.abs);

function stateFor(layout: Layout): SliceState {
  return { theta: numbers(layout.length), m: numbers(layout.parameters), v: positive(layout.parameters) };
}

function assertSame(actual: SliceState, expected: SliceState): void {
  for (const name of ["theta", "m", "v"] as const) {
    const [a, b] = [bitsOf(actual[name]), bitsOf(expected[name])];
    assert.equal(a.length, b.length, `${name}'s length`);
    assert.equal(
      a.findIndex((word, i) => word !== b[i]),
      -1,
      `an element of ${name} differs`,
    );
  }
}

/** Performs moves of one chunk with sums that come over the wire. */
function perform(slice: ShardSlice, chunk: Chunk, sums: readonly Float32Array[], ...moves: MoveOfChunk[]) {
  return slice.perform(
    moves.map((move) => ({ ...move, chunk: chunk.index }) as SliceMove),
    () => slice.receive(chunk, bytesOf(...sums)) ?? assert.fail("the sums are not finite"),
  );
}

type MoveOfChunk = SliceMove extends infer Move ? (Move extends SliceMove ? Omit<Move, "chunk"> : never) : never;

describe("a slice", () => {
  for (const squareOfSum of [false, true]) {
    const from = squareOfSum ? "the squared sum" : "the sum of squares";
    it(`stages, adds, merges and applies like plain loops, with v from ${from}`, () => {
      const slice = createSlice(LAYOUT, ALL);
      const expected = stateFor(LAYOUT);
      fill(slice, expected);
      const plan = planOf(squareOfSum);
      const weights = [
        { w1: 0.5, w2: 0.25 },
        { w1: 1, w2: 1 },
      ];
      for (const chunk of LAYOUT.chunks.filter(({ kind }) => kind !== "frozen")) {
        const trained = chunk.kind === "parameter";
        // Leaves 0 and 1 come one by one, 2 and 3 as a node, in a slot that the memory has to grow for.
        const [g0, g1] = [numbers(chunk.length), numbers(chunk.length)];
        const node = { s1: numbers(chunk.length), s2: positive(chunk.length) };
        const more = { s1: numbers(chunk.length), s2: positive(chunk.length) };
        const sent = ({ s1, s2 }: PlainSums): Float32Array[] => (trained ? [s1, s2] : [s1]);
        perform(slice, chunk, [g0], { kind: "stage", slot: 3, leaf: weights[0] });
        perform(slice, chunk, sent(node), { kind: "stage", slot: 40, leaf: undefined });
        perform(slice, chunk, [g1], { kind: "accumulate", slot: 3, leaf: weights[1] });
        perform(slice, chunk, [], { kind: "merge", into: 40, from: 3 });
        perform(slice, chunk, sent(more), { kind: "accumulate", slot: 40, leaf: undefined });
        // In the tail nothing is weighted or squared.
        const leaves = [g0, g1].map((g, i) => (trained ? leafOf(g, weights[i]) : { s1: g, s2: g }));
        const root = plus(plus(node, plus(leaves[0], leaves[1])), more);
        const [updated] = perform(slice, chunk, [], { kind: "apply", slot: 40, plan });
        assert.equal(updated.chunk, chunk.index);
        const { squaredNorm1, sum2 } = updated.norms;
        assertClose(
          squaredNorm1,
          root.s1.reduce((sum, x) => sum + x * x, 0),
        );
        assertClose(sum2, trained ? root.s2.reduce((sum, x) => sum + x, 0) : 0);
        updatePlainly(LAYOUT, expected, chunk, root, plan);
        const weightsNow = new Float32Array(chunk.length);
        Buffer.from(weightsNow.buffer).set(slice.weights(chunk));
        assert.deepEqual(bitsOf(weightsNow), bitsOf(expected.theta.slice(chunk.offset, chunk.offset + chunk.length)));
      }
      assertSame(slice.snapshot(), expected);
    });
  }

  it("keeps a snapshot as it was, and comes back to it", () => {
    const slice = createSlice(LAYOUT, ALL);
    const filled = stateFor(LAYOUT);
    fill(slice, filled);
    const snapshot = slice.snapshot();
    const [chunk] = LAYOUT.chunks;
    const leaf = { w1: 1, w2: 1 };
    const moves = [{ kind: "stage", slot: 0, leaf } as const, { kind: "apply", slot: 0, plan: planOf(false) } as const];
    perform(slice, chunk, [numbers(chunk.length)], ...moves);
    assertSame(snapshot, filled);
    assert.notDeepEqual(slice.snapshot().theta, snapshot.theta);
    fill(slice, snapshot);
    assertSame(slice.snapshot(), filled);
  });

  it("spans two segments, and holds no more of them than its chunks", () => {
    const layout = createLayout([parameter("large/kernel", [SEGMENT_LENGTH_MAX + 150_000], true)]);
    const border = layout.chunks.findIndex(({ segment }) => segment === 1);
    const slice = createSlice(layout, { firstChunk: border - 1, endChunk: border + 1 });
    const chunks = layout.chunks.slice(border - 1, border + 1);
    const length = chunks[0].length + chunks[1].length;
    const filled = { theta: numbers(length), m: numbers(length), v: positive(length) };
    const ranges: number[][] = [];
    slice.restore((into, { firstElement, endElement }) => {
      ranges.push([firstElement, endElement]);
      for (const name of ["theta", "m", "v"] as const) {
        const from = firstElement - chunks[0].offset;
        into[name].set(filled[name].subarray(from, from + endElement - firstElement));
      }
    });
    assert.deepEqual(
      ranges,
      chunks.map(({ offset, length }) => [offset, offset + length]),
    );
    assertSame(slice.snapshot(), filled);
    const g = numbers(chunks[1].length);
    const plan = planOf(false);
    const leaf = { w1: 1, w2: 1 };
    perform(slice, chunks[1], [g], { kind: "stage", slot: 0, leaf }, { kind: "apply", slot: 0, plan });
    const moved = {
      theta: filled.theta.slice(chunks[0].length),
      m: filled.m.slice(chunks[0].length),
      v: filled.v.slice(chunks[0].length),
    };
    const alone = createLayout([parameter("large/kernel", [chunks[1].length], true)]);
    updatePlainly(alone, moved, { ...chunks[1], offset: 0 }, leafOf(g, { w1: 1, w2: 1 }), plan);
    const after = slice.snapshot();
    for (const name of ["theta", "m", "v"] as const) {
      assert.deepEqual(bitsOf(after[name].slice(chunks[0].length)), bitsOf(moved[name]));
      assert.deepEqual(bitsOf(after[name].slice(0, chunks[0].length)), bitsOf(filled[name].slice(0, chunks[0].length)));
    }
  });
});

describe("receive()", () => {
  const slice = createSlice(LAYOUT, ALL);
  const [chunk] = LAYOUT.chunks;
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    for (const at of [0, chunk.length - 1, chunk.length, 2 * chunk.length - 1]) {
      it(`finds ${bad} at element ${at}`, () => {
        const sums = numbers(2 * chunk.length);
        assert.equal(slice.receive(chunk, bytesOf(sums))?.kind, "own");
        sums[at] = bad;
        assert.equal(slice.receive(chunk, bytesOf(sums)), undefined);
      });
    }
  }
});

describe("an updated chunk's norms", () => {
  it("are not finite just if one of the sums is not", () => {
    const slice = createSlice(LAYOUT, ALL);
    const [chunk] = LAYOUT.chunks;
    const leaf = { w1: 1, w2: 1 };
    const finite = (g: Float32Array): boolean => {
      const plan = planOf(false);
      const [{ norms }] = perform(
        slice,
        chunk,
        [g],
        { kind: "stage", slot: 0, leaf },
        { kind: "apply", slot: 0, plan },
      );
      return Number.isFinite(norms.squaredNorm1) && Number.isFinite(norms.sum2);
    };
    const g = new Float32Array(chunk.length).fill(1.8e19);
    assert.ok(finite(g));
    // Its square is not a finite float32.
    g[17] = 1.9e19;
    assert.ok(!finite(g));
  });
});

describe("sumsBytes()", () => {
  it("has S2 only of parameters, and only of more than one leaf", () => {
    const [first] = LAYOUT.chunks;
    const inTail = LAYOUT.chunks.find(({ kind }) => kind === "tail")!;
    assert.equal(sumsBytes(first, 1, "float32"), first.length * 4);
    assert.equal(sumsBytes(first, 2, "float32"), first.length * 8);
    assert.equal(sumsBytes(inTail, 2, "float32"), inTail.length * 4);
  });

  it("has half the bytes of a leaf's gradient as bfloat16", () => {
    const [first] = LAYOUT.chunks;
    const inTail = LAYOUT.chunks.find(({ kind }) => kind === "tail")!;
    assert.equal(sumsBytes(first, 1, "bfloat16"), first.length * 2);
    assert.equal(sumsBytes(first, 2, "bfloat16"), first.length * 8);
    assert.equal(sumsBytes(inTail, 1, "bfloat16"), inTail.length * 4);
  });
});

function assertClose(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${actual} is not ${expected}`);
}
