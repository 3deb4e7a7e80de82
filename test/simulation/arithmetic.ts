import { seedOf } from "../../shared/random.js";
import type { CheckpointMark, StepCoefficients, StepPlan } from "../../shared/steps/index.js";

/**
 * The simulated arithmetic: a sum is a number that depends on how it was made, so that a leaf that is counted twice, left
 * out or added in another order gives another number. Like float32 addition, `plus` is commutative but not associative.
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

export type CoefficientsOf = (step: {
  firstMicroBatch: number;
  microBatches: number;
  c1: number;
  c2: number;
}) => StepCoefficients;

/**
 * The weights of every version of an undisturbed run, one micro-batch at a time on one machine, at the κ that the
 * disturbed run has recorded for each step. A step that nobody remembers may be taken again at another κ; what an older
 * term made of it stays known, because its messages may still be in flight.
 */
export interface Reference {
  at(term: number, version: number): ReferenceVersion;
  /** κ of a step as it was last planned; undefined if it never was. */
  kappaOf(step: number): number | undefined;
  /** Step `step` is taken at κ, from this term on. */
  plan(term: number, step: number, microBatches: number): void;
}

export function createReference(chunks: number, coefficients: CoefficientsOf): Reference {
  const initial = Array.from({ length: chunks }, (_, chunk) => seedOf("initial", chunk));
  const start: ReferenceVersion = { mark: { step: 0, microBatches: 0, c1: 0, c2: 0 }, weights: initial };
  /** κ by the term from which on it holds. */
  const histories: { term: number; versions: ReferenceVersion[] }[] = [{ term: 0, versions: [start] }];

  function kappaOf(step: number): number | undefined {
    const { versions } = histories.at(-1)!;
    const next = versions[step + 1];
    return next === undefined ? undefined : next.mark.microBatches - versions[step].mark.microBatches;
  }

  return {
    at(term, version) {
      const found = histories.findLast((history) => history.term <= term)!.versions[version];
      if (found === undefined) throw new Error(`version ${version} was never planned in term ${term}`);
      return found;
    },
    kappaOf,
    plan(term, step, microBatches) {
      const known = kappaOf(step);
      if (known === microBatches) return;
      if (known !== undefined) histories.push({ term, versions: histories.at(-1)!.versions.slice(0, step + 1) });
      const { versions } = histories.at(-1)!;
      const { mark, weights } = versions[step];
      const { microBatches: firstMicroBatch, c1, c2 } = mark;
      const used = coefficients({ firstMicroBatch, microBatches, c1, c2 });
      const next = weights.map((value, chunk) => {
        const sum = treeSum((leaf) => gradient(firstMicroBatch + leaf, chunk, weights), 0, microBatches);
        return update(value, sum, { step, coefficients: used });
      });
      versions.push({
        mark: { step: step + 1, microBatches: firstMicroBatch + microBatches, c1: used.c1, c2: used.c2 },
        weights: next,
      });
    },
  };
}
