/** A step's bits do not depend on where its sums are read from, in which order, or by how many threads. */
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { type Chunk, createLayout } from "../../../shared/layout/index.js";
import type { StepPlan } from "../../../shared/steps/index.js";
import { canonicalNodes, type Interval } from "../../../shared/sums/index.js";
import type { SliceState } from "../../checkpoint/index.js";
import { createShardCore, type ShardCore } from "../core/index.js";
import { workOf } from "../effects.js";
import { createSlice, type ShardSlice } from "../slice.js";
import type { SumsSource } from "./source.js";
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
} from "./sums.test.helper.js";

/** The slice has the last chunks: one of two blocks, one of a few elements in two tensors, and one of the tail. */
const LAYOUT = createLayout([
  { name: "a/kernel", shape: [32_900], kind: "parameter", decay: true },
  { name: "a/bias", shape: [100], kind: "parameter", decay: false },
  { name: "norm/mean", shape: [30], kind: "tail", decay: false, momentum: 0.9 },
]);
const RANGE = { firstChunk: 3, endChunk: 6 };
const CHUNKS = LAYOUT.chunks.slice(RANGE.firstChunk, RANGE.endChunk);
const INDICES = CHUNKS.map(({ index }) => index);
const FIRST = CHUNKS[0].offset;
const LENGTH = LAYOUT.length - FIRST;
const PARAMETERS = LAYOUT.parameters - FIRST;

const WAYS = ["wire", "lent memory", "copied memory", "lent file", "copied file"] as const;
type Way = (typeof WAYS)[number];

/** The sums of a node in the slice's elements, S1 and then S2; a leaf's are its gradient. */
interface Push extends Interval {
  readonly way: Way;
  /** Chunks that come with it; all but the wire bring all. */
  readonly chunks: readonly number[];
}

interface Step {
  readonly plan: StepPlan;
  readonly pushes: readonly Push[];
}

const step: fc.Arbitrary<Step> = fc.integer({ min: 1, max: 9 }).chain((leaves) => {
  const ranges = fc
    .tuple(fc.nat(leaves - 1), fc.integer({ min: 1, max: leaves }))
    .map(([lo, length]) => canonicalNodes(lo, Math.min(lo + length, leaves), leaves));
  const whole = fc.constant(Array.from({ length: leaves }, (_, lo) => ({ lo, hi: lo + 1 })));
  // The leaves one by one, so that the step ends, among nodes of any leases, in any order.
  return fc
    .tuple(fc.array(ranges, { maxLength: 5 }), whole)
    .map(([some, all]) => [...some, all].flat())
    .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length }))
    .chain((nodes) =>
      fc.tuple(
        fc.boolean(),
        fc.float({ min: 0.5, max: 2, noNaN: true }),
        fc.tuple(
          ...nodes.map((node, i) =>
            fc.record({
              lo: fc.constant(node.lo),
              hi: fc.constant(node.hi),
              way: fc.constantFrom(...WAYS),
              // A push that broke off, unless the step could not end without it.
              chunks: fc.constantFrom(INDICES, i % 2 === 0 ? INDICES : INDICES.slice(1)),
            }),
          ),
        ),
      ),
    )
    .map(([weighted, weight, pushes]) => {
      const shares = Float32Array.from({ length: leaves }, (_, i) => weight / (i + 1));
      const plan = { ...planFor(leaves), ...(weighted && { leafCoefficients1: shares, leafCoefficients2: shares }) };
      // Leaves that were left out of a push are pushed again at the end.
      const again = plan.microBatches === 0 ? [] : pushes.map((push) => ({ ...push, chunks: INDICES }));
      return { plan, pushes: [...pushes, ...again] };
    });
});

/** The gradients of the leaves in the slice's elements, and the tree's sums of them, in plain loops. */
function reference({ plan }: Step, seed: number) {
  const numbers = numbersOf(seed);
  const gradients = Array.from({ length: plan.microBatches }, () => numbers(LENGTH));
  const leaf = (i: number, chunk: Chunk): PlainSums => {
    const g = gradients[i].subarray(chunk.offset - FIRST, chunk.offset - FIRST + chunk.length);
    if (chunk.kind === "tail") return { s1: g, s2: g };
    return leafOf(g, { w1: plan.leafCoefficients1?.[i] ?? 1, w2: plan.leafCoefficients2?.[i] ?? 1 });
  };
  const sums = (chunk: Chunk, lo: number, hi: number): PlainSums => {
    if (hi - lo === 1) return leaf(lo, chunk);
    let half = 1;
    while (half * 2 < hi - lo) half *= 2;
    return plus(sums(chunk, lo, lo + half), sums(chunk, lo + half, hi));
  };
  const node = ({ lo, hi }: Interval, chunk: Chunk): Float32Array[] => {
    if (hi - lo === 1) return [gradients[lo].subarray(chunk.offset - FIRST, chunk.offset - FIRST + chunk.length)];
    const { s1, s2 } = sums(chunk, lo, hi);
    return chunk.kind === "tail" ? [s1] : [s1, s2];
  };
  return { sums, node };
}

const files = mkdtempSync(join(tmpdir(), "isobatch-sources-"));
after(() => rmSync(files, { recursive: true }));

/** Where one push's sums are put, to be destroyed once they may be. */
interface Place {
  incoming(chunk: number): SumsSource;
  /** Writes other numbers over all of it. */
  spoil(): void;
  close(): void;
}

function placeOf(slice: ShardSlice, way: Way, arrays: ReadonlyMap<number, readonly Float32Array[]>): Place {
  const starts = new Map<number, number>();
  const all = new Float32Array(2 * LENGTH);
  let end = 0;
  for (const [chunk, [s1, s2]] of arrays) {
    starts.set(chunk, 4 * end);
    all.set(s1, end);
    if (s2 !== undefined) all.set(s2, end + s1.length);
    end += 2 * s1.length;
  }
  const at = (chunk: number, base: number) => {
    const s1 = base + starts.get(chunk)!;
    return { s1, s2: s1 + 4 * arrays.get(chunk)![0].length };
  };
  const lend = way.startsWith("lent");
  const spoiled = new Float32Array(all.length).fill(Number.NaN);
  if (way === "wire") {
    const receive = (chunk: number) => slice.receive(LAYOUT.chunks[chunk], bytesOf(...arrays.get(chunk)!))!;
    return { incoming: receive, spoil() {}, close() {} };
  }
  if (way.endsWith("memory")) {
    const [{ memory, reserve, release }] = slice.memories;
    const base = reserve(4 * all.length);
    const write = (numbers: Float32Array): void => new Float32Array(memory.buffer, base, all.length).set(numbers);
    write(all);
    return {
      incoming: (chunk) => ({ kind: "memory", ...at(chunk, base), lend }),
      spoil: () => write(spoiled),
      close: () => release(base, 4 * all.length),
    };
  }
  const file = openSync(join(files, "sums"), "w+");
  rmSync(join(files, "sums"));
  writeSync(file, all, 0, all.byteLength, 0);
  return {
    incoming: (chunk) => ({ kind: "file", file, ...at(chunk, 0), lend }),
    spoil: () => writeSync(file, spoiled, 0, spoiled.byteLength, 0),
    close: () => closeSync(file),
  };
}

/** Pushes as workers do, through the real core; the way is every push's own, unless one is given. */
function perform(slice: ShardSlice, core: ShardCore, given: Step, plain: ReturnType<typeof reference>, only?: Way) {
  const { plan } = given;
  core.handle({ kind: "plan", plan });
  const norms = new Map<number, unknown>();
  const places: Place[] = [];
  for (const { lo, hi, chunks, ...push } of given.pushes) {
    const way = only ?? push.way;
    const node = { worker: "w", term: 1, step: plan.step, lo, hi, losses: new Array<number>(hi - lo).fill(1) };
    const compute = (admitted: readonly number[]): void => {
      const arrays = new Map(admitted.map((chunk) => [chunk, plain.node(node, LAYOUT.chunks[chunk])]));
      const place = placeOf(slice, way, arrays);
      places.push(place);
      for (const work of workOf(core.admit(node, admitted), place.incoming)) {
        if (work.kind !== "compute") continue;
        for (const updated of slice.perform(work.moves, work.incoming)) norms.set(updated.chunk, updated.norms);
      }
      if (!way.startsWith("lent")) place.spoil();
    };
    const wanted = chunks.filter((chunk) => core.judge({ ...node, chunk }).verdict === "accepted");
    if (way === "wire") for (const chunk of wanted) compute([chunk]);
    else if (wanted.length > 0) compute(wanted);
    if (core.state.step > plan.step) break;
  }
  assert.equal(core.state.step, plan.step + 1, "the step has been committed");
  for (const place of places) {
    place.spoil();
    place.close();
  }
  slice.clear();
  return norms;
}

function openCore(step: number): ShardCore {
  const core = createShardCore({ chunks: INDICES, reportsLosses: true, slotsMax: 1000 });
  core.handle({ kind: "restore", term: 1, step });
  core.handle({ kind: "restored", term: 1, mark: { step, microBatches: 0, c1: 0, c2: 0 } });
  return core;
}

const numbers = numbersOf(3);
const START: SliceState = {
  theta: numbers(LENGTH),
  m: numbers(PARAMETERS),
  v: numbers(PARAMETERS).map(Math.abs),
};

describe("steps of sums from anywhere", () => {
  const [mixed, wire] = [createSlice(LAYOUT, RANGE, 1), createSlice(LAYOUT, RANGE, 1)];

  it("have the bits of plain loops over the tree, and the norms of sums that came over the wire", () => {
    fc.assert(
      fc.property(step, fc.nat(), (given, seed) => {
        const plain = reference(given, seed);
        const expected = { theta: START.theta.slice(), m: START.m.slice(), v: START.v.slice() };
        for (const chunk of CHUNKS) {
          const root = plain.sums(chunk, 0, given.plan.microBatches);
          updatePlainly(LAYOUT, expected, chunk, root, given.plan, FIRST);
        }
        for (const slice of [mixed, wire]) fill(slice, START, FIRST);
        const core = () => openCore(given.plan.step);
        const norms = [perform(mixed, core(), given, plain), perform(wire, core(), given, plain, "wire")];
        assert.deepEqual(norms[0], norms[1]);
        for (const slice of [mixed, wire]) {
          const state = slice.snapshot();
          for (const name of ["theta", "m", "v"] as const) {
            assert.deepEqual(bitsOf(state[name]), bitsOf(expected[name]), name);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});
