import { seedOf } from "../../shared/random.js";
import type { CheckpointMark, StepPlan } from "../../shared/steps/index.js";

/**
 * The simulated arithmetic: a sum is a number that remembers how it was made, so that a leaf counted twice, left out
 * or added in another order gives another number. Like float32 addition, `plus` commutes and does not associate.
 */

function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

export const plus = (a: number, b: number): number => (a < b ? mix(a, b) : mix(b, a));

/** The gradient of micro-batch n in one chunk, at the weights of all chunks. */
export function gradient(n: number, chunk: number, weights: readonly number[]): number {
  return weights.reduce(mix, mix(n, chunk));
}

/** The chunk's new value; every coefficient of the step counts. */
export function update(value: number, sum: number, plan: Pick<StepPlan, "step" | "coefficients">): number {
  return mix(mix(value, sum), seedOf(plan.step, JSON.stringify(plan.coefficients)));
}

/** The sum over [lo, hi), by the tree's recursive definition. */
export function treeSum(leaf: (index: number) => number, lo: number, hi: number): number {
  if (hi - lo === 1) return leaf(lo);
  let half = 1;
  while (half * 2 < hi - lo) half *= 2;
  return plus(treeSum(leaf, lo, lo + half), treeSum(leaf, lo + half, hi));
}

export interface ReferenceVersion {
  readonly mark: CheckpointMark;
  readonly weights: readonly number[];
}

/** The weights of every version of an undisturbed run, one micro-batch after the other on one machine. */
export function referenceRun(options: {
  readonly chunks: number;
  readonly microBatchesPerStep: number;
  readonly microBatchesTotal: number;
  readonly coefficients: (step: {
    firstMicroBatch: number;
    microBatches: number;
    c1: number;
    c2: number;
  }) => StepPlan["coefficients"];
}): ReferenceVersion[] {
  let weights = Array.from({ length: options.chunks }, (_, chunk) => seedOf("initial", chunk));
  let mark: CheckpointMark = { step: 0, microBatches: 0, c1: 0, c2: 0 };
  const versions: ReferenceVersion[] = [{ mark, weights }];
  while (mark.microBatches < options.microBatchesTotal) {
    const first = mark.microBatches;
    const microBatches = Math.min(options.microBatchesPerStep, options.microBatchesTotal - first);
    const { c1, c2 } = mark;
    const coefficients = options.coefficients({ firstMicroBatch: first, microBatches, c1, c2 });
    const before = weights;
    weights = before.map((value, chunk) => {
      const sum = treeSum((leaf) => gradient(first + leaf, chunk, before), 0, microBatches);
      return update(value, sum, { step: mark.step, coefficients });
    });
    mark = { step: mark.step + 1, microBatches: first + microBatches, c1: coefficients.c1, c2: coefficients.c2 };
    versions.push({ mark, weights });
  }
  return versions;
}
