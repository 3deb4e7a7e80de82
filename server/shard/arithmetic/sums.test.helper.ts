/** A shard's sums and updates in plain loops, as the tests of its arithmetic expect them. */
import type { Chunk, Layout } from "../../../shared/layout/index.js";
import { createRandom } from "../../../shared/random.js";
import type { StepPlan } from "../../../shared/steps/index.js";
import type { SliceState } from "../../checkpoint/index.js";
import type { LeafCoefficientPair } from "../core/index.js";
import type { ShardSlice } from "../slice.js";

const f = Math.fround;

export interface PlainSums {
  readonly s1: Float32Array;
  readonly s2: Float32Array;
}

/** The sums of one node; a leaf's come from its raw gradient and coefficients. */
export const leafOf = (g: Float32Array, { w1, w2 }: LeafCoefficientPair): PlainSums => ({
  s1: g.map((x) => f(f(w1) * x)),
  s2: g.map((x) => f(f(w2) * f(x * x))),
});

export const plus = (a: PlainSums, b: PlainSums): PlainSums => ({
  s1: a.s1.map((x, i) => f(x + b.s1[i])),
  s2: a.s2.map((x, i) => f(x + b.s2[i])),
});

/** A step of the chunk's elements in plain loops, in place; the state is of the layout's elements from `first` on. */
export function updatePlainly(
  layout: Layout,
  state: SliceState,
  chunk: Chunk,
  { s1, s2 }: PlainSums,
  plan: StepPlan,
  first = 0,
): void {
  const { mKeep, mAdd, vKeep, vAdd, squareOfSum, stepSize, vScale, epsilon, decay } = plan.coefficients;
  for (let k = 0; k < chunk.length; k++) {
    const tensor = layout.tensors.findLast(({ offset }) => offset <= chunk.offset + k)!;
    const i = chunk.offset + k - first;
    if (tensor.kind === "tail") {
      const keep = tensor.momentum! ** plan.microBatches;
      state.theta[i] = f(f(f(keep) * state.theta[i]) + f(f((1 - keep) / plan.microBatches) * s1[k]));
      continue;
    }
    const squares = squareOfSum ? f(s1[k] * s1[k]) : s2[k];
    state.m[i] = f(f(f(mKeep) * state.m[i]) + f(f(mAdd) * s1[k]));
    state.v[i] = f(f(f(vKeep) * state.v[i]) + f(f(vAdd) * squares));
    const root = f(f(Math.sqrt(f(state.v[i] * f(vScale)))) + f(epsilon));
    const move = f(f(f(stepSize) * state.m[i]) / root);
    state.theta[i] = f(state.theta[i] - f(f((tensor.decay ? f(decay) : 0) * state.theta[i]) + move));
  }
}

/** Coefficients of a step, each of them unlike the others. */
export function planFor(microBatches: number, squareOfSum = false): StepPlan {
  const coefficients = {
    mKeep: 0.9,
    mAdd: 0.1 / microBatches,
    vKeep: 0.99,
    vAdd: 0.01 / microBatches,
    squareOfSum,
    stepSize: 0.013,
    vScale: 3.7,
    epsilon: 1e-8,
    decay: 0.004,
    c1: 0.1,
    c2: 0.01,
  };
  return { term: 1, step: 5, firstMicroBatch: 5 * microBatches, microBatches, coefficients };
}

/** Random numbers from −1 to 1. */
export function numbersOf(seed: number): (length: number) => Float32Array {
  const random = createRandom(seed);
  return (length) => Float32Array.from({ length }, () => random.next() * 2 - 1);
}

export const bytesOf = (...arrays: Float32Array[]): Buffer =>
  Buffer.concat(arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)));

export const bitsOf = (array: Float32Array): Uint32Array => new Uint32Array(array.slice().buffer);

/** Fills the slice with a state of the layout's elements from `first` on. */
export function fill(slice: ShardSlice, { theta, m, v }: SliceState, first = 0): void {
  slice.restore((into, { firstElement, endElement }) => {
    const [from, to] = [firstElement - first, endElement - first];
    into.theta.set(theta.subarray(from, to));
    into.m.set(m.subarray(from, Math.min(to, m.length)));
    into.v.set(v.subarray(from, Math.min(to, v.length)));
  });
}
