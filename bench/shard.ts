/**
 * The cost of a shard's arithmetic in a step: two leaves of every chunk become new weights. Every round measures in turn: leaves as
 * they come over the wire, chunk by chunk; leaves in mapped memory, copied on arrival or lent; leaves in a file; each with one
 * thread and with two. For comparison it copies θ, since all of this is bound by memory: a share of 1 is a step that moves what it
 * must (both leaves, θ, m and v in, and θ, m and v out) as fast as that copy.
 */
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SumsSource } from "../server/shard/arithmetic/source.js";
import type { SliceMove } from "../server/shard/arithmetic/staged.js";
import { createSlice, type ShardSlice } from "../server/shard/slice.js";
import { createLayout, type Layout } from "../shared/layout/index.js";
import { stepCoefficients } from "../shared/optimizer/index.js";
import { createRandom } from "../shared/random.js";
import type { StepPlan } from "../shared/steps/index.js";
import { fastest, threeDigits } from "./statistics.js";

export interface ShardScenario {
  readonly scenario: "shard";
  readonly model: string;
  readonly parameters: number;
  /** The time of the fastest round, as everywhere here. */
  readonly memcpyMs: number;
  readonly results: Readonly<Record<string, { readonly ms: number; readonly shareOfMemcpy: number }>>;
}

const WIDTHS = { mlp: 512, "mlp-10m": 2750 };
const ROUNDS = { mlp: 200, "mlp-10m": 16 };
const WARM_UP_ROUNDS = 3;
const LEAF = { w1: 1, w2: 1 };
/** The arrays that a step must read or write, divided by those of a copy. */
const ARRAYS = (2 + 6) / 2;

export function shardScenario(): ShardScenario[] {
  return [measure("mlp"), measure("mlp-10m")];
}

function measure(model: keyof typeof WIDTHS): ShardScenario {
  const layout = perceptron(WIDTHS[model]);
  const slices = [1, 2].map((threads) =>
    createSlice(layout, { firstChunk: 0, endChunk: layout.chunks.length }, threads),
  );
  const folder = mkdtempSync(join(tmpdir(), "isobatch-bench-"));
  const cases: [name: string, step: () => void][] = [["wire", overTheWire(layout, slices[0])]];
  const files: number[] = [];
  for (const [i, slice] of slices.entries()) {
    const threads = i === 0 ? "1 thread" : "2 threads";
    const leaves = mappedLeaves(layout, slice);
    cases.push([`near, copied, ${threads}`, atOnce(layout, slice, leaves(false))]);
    cases.push([`near, lent, ${threads}`, atOnce(layout, slice, leaves(true))]);
    files.push(leafFile(layout, folder));
    cases.push([`file, lent, ${threads}`, atOnce(layout, slice, inFile(layout, files[i]))]);
  }
  const [from, to] = [new Float32Array(layout.length).fill(1), new Float32Array(layout.length)];
  cases.push(["memcpy", () => to.set(from)]);
  const times = cases.map(() => [] as number[]);
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS[model]; round++) {
    for (let i = 0; i < cases.length; i++) {
      const index = (i + round) % cases.length;
      const start = performance.now();
      cases[index][1]();
      if (round >= WARM_UP_ROUNDS) times[index].push(performance.now() - start);
    }
  }
  for (const file of files) closeSync(file);
  rmSync(folder, { recursive: true });
  for (const slice of slices) slice.close();
  const memcpyMs = fastest(times[cases.length - 1]);
  const results = cases.slice(0, -1).map(([name], index) => {
    const ms = fastest(times[index]);
    return [name, { ms, shareOfMemcpy: threeDigits((ARRAYS * memcpyMs) / ms) }] as const;
  });
  return {
    ...{ scenario: "shard", model, parameters: layout.parameters, memcpyMs },
    results: Object.fromEntries(results),
  };
}

function perceptron(width: number): Layout {
  const sizes = [784, width, width, 10];
  return createLayout(
    sizes
      .slice(1)
      .flatMap((units, i) => [
        { name: `${i}/kernel`, shape: [sizes[i], units], kind: "parameter", decay: true } as const,
        { name: `${i}/bias`, shape: [units], kind: "parameter", decay: false } as const,
      ]),
  );
}

const PLAN: StepPlan = {
  ...{ term: 1, step: 0, firstMicroBatch: 0, microBatches: 2 },
  coefficients: stepCoefficients({
    optimizer: { name: "invariant", rule: "linear" },
    hyperparameters: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
    ...{ microBatchSize: 64, firstMicroBatch: 0, microBatches: 2, c1: 0.5, c2: 0.5 },
    schedule: { kind: "constant", warmupSamples: 0, totalSamples: 0, finalFraction: 1 },
  }),
};

const first = (chunk: number): SliceMove[] => [{ kind: "stage", chunk, slot: chunk, leaf: LEAF }];
const second = (chunk: number): SliceMove[] => [
  { kind: "accumulate", chunk, slot: chunk, leaf: LEAF },
  { kind: "apply", chunk, slot: chunk, plan: PLAN },
];

function overTheWire(layout: Layout, slice: ShardSlice): () => void {
  const gradients = [1, 2].map((seed) => gradient(layout, seed));
  return () => {
    for (const [leaf, moves] of [first, second].entries()) {
      for (const chunk of layout.chunks) {
        const bytes = Buffer.from(gradients[leaf].buffer, 4 * chunk.offset, 4 * chunk.length);
        slice.perform(moves(chunk.index), () => slice.receive(chunk, bytes)!);
      }
    }
    slice.clear();
  };
}

type Leaves = readonly ((chunk: number) => SumsSource)[];

function atOnce(layout: Layout, slice: ShardSlice, leaves: Leaves): () => void {
  const chunks = layout.chunks.map(({ index }) => index);
  const moves = [chunks.flatMap(first), chunks.flatMap(second)];
  return () => {
    for (const [leaf, incoming] of leaves.entries()) slice.perform(moves[leaf], incoming);
    slice.clear();
  };
}

/** Two gradients in memory that is reserved for a worker; the layouts here have one segment. */
function mappedLeaves(layout: Layout, slice: ShardSlice): (lend: boolean) => Leaves {
  const [segment] = slice.memories;
  const places = [1, 2].map((seed) => {
    const at = segment.reserve(4 * layout.length);
    new Float32Array(segment.memory.buffer, at, layout.length).set(gradient(layout, seed));
    return at;
  });
  return (lend) =>
    places.map((at) => (chunk) => ({ kind: "memory", s1: at + 4 * layout.chunks[chunk].offset, s2: 0, lend }));
}

function leafFile(layout: Layout, folder: string): number {
  const path = join(folder, "leaves");
  const file = openSync(path, "w+");
  unlinkSync(path);
  for (const seed of [1, 2]) writeSync(file, gradient(layout, seed));
  return file;
}

function inFile(layout: Layout, file: number): Leaves {
  return [0, 1].map((leaf) => (chunk) => {
    const s1 = 4 * (leaf * layout.length + layout.chunks[chunk].offset);
    return { kind: "file", file, s1, s2: 0, lend: true };
  });
}

function gradient(layout: Layout, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: layout.length }, () => random.next() - 0.5);
}
