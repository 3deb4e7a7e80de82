/**
 * Performs a fold's operations with the SIMD kernels, in place in the shared memories. All of them are element-wise,
 * so any part of the elements may be done by any thread with the same bits: the threads of a worker share the
 * work of joining what each of them has folded.
 */
import { BYTES_PER_ELEMENT } from "../shared/layout/index.js";
import type { FoldedNode, FoldOperation } from "./fold.js";
import { type Addresses, gradientAddresses, type SegmentPlan, type SharedMemory, sumAddresses } from "./memory.js";

/** The leaf coefficients of a lease, in S1 and in S2; if undefined, all are 1. */
export interface LeaseCoefficients {
  /** The leaf that the coefficients start with. */
  readonly first: number;
  readonly w1: ArrayLike<number>;
  readonly w2: ArrayLike<number>;
}

/** A leaf's coefficients in S1 and in S2. */
export function leafCoefficientsOf(leaf: number, { first, w1, w2 }: LeaseCoefficients): [w1: number, w2: number] {
  return [w1[leaf - first], w2[leaf - first]];
}

/** Part `index` of `of` equal parts of every vector. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

export const WHOLE: Part = { index: 0, of: 1 };

export interface Sums {
  perform(operation: FoldOperation, coefficients: LeaseCoefficients | undefined, part: Part): void;
  /** Whether all of a vector's parameters and tail are finite. */
  allFinite(addresses: Addresses): boolean;
  /** Whether the sums of a node are finite; for a node of one leaf, whether its gradient is. */
  nodeFinite(node: FoldedNode, part: Part): boolean;
}

/** @param thread the thread whose gradient buffer `addGradient` reads */
export function createSums({ plan, kernels }: SharedMemory, thread: number): Sums {
  const gradient = gradientAddresses(plan, thread);

  const coefficientsOf = (leaf: number, coefficients: LeaseCoefficients | undefined): [number, number] =>
    coefficients === undefined ? [1, 1] : leafCoefficientsOf(leaf, coefficients);

  const square = (slot: number, [w1, w2]: [number, number], part: Part): void => {
    const [s1, s2] = [sumAddresses(plan, slot, "s1"), sumAddresses(plan, slot, "s2")];
    for (const [i, segment] of plan.segments.entries()) {
      const { from, length } = share(segment, part, 0, segment.parameters);
      kernels[i].leaf(s1[i] + from, s1[i] + from, s2[i] + from, length, w1, w2);
    }
  };

  const addGradient = (slot: number, [w1, w2]: [number, number], part: Part): void => {
    const [s1, s2] = [sumAddresses(plan, slot, "s1"), sumAddresses(plan, slot, "s2")];
    for (const [i, segment] of plan.segments.entries()) {
      const { from, length } = share(segment, part, 0, segment.parameters);
      kernels[i].addLeaf(gradient[i] + from, s1[i] + from, s2[i] + from, length, w1, w2);
      const tail = share(segment, part, segment.parameters, segment.averaged);
      kernels[i].add(s1[i] + tail.from, gradient[i] + tail.from, tail.length);
    }
  };

  const add = (into: number, slot: number, part: Part): void => {
    for (const sum of ["s1", "s2"] as const) {
      const [target, source] = [sumAddresses(plan, into, sum), sumAddresses(plan, slot, sum)];
      for (const [i, segment] of plan.segments.entries()) {
        const { from, length } = share(segment, part, 0, sum === "s1" ? segment.averaged : segment.parameters);
        kernels[i].add(target[i] + from, source[i] + from, length);
      }
    }
  };

  const finite = (addresses: Addresses, of: "averaged" | "parameters", part: Part): boolean =>
    plan.segments.every((segment, i) => {
      const { from, length } = share(segment, part, 0, segment[of]);
      return kernels[i].allFinite(addresses[i] + from, length);
    });

  return {
    perform(operation, coefficients, part) {
      switch (operation.kind) {
        case "square":
          return square(operation.slot, coefficientsOf(operation.leaf, coefficients), part);
        case "addGradient":
          return addGradient(operation.slot, coefficientsOf(operation.leaf, coefficients), part);
        case "add":
          return add(operation.into, operation.slot, part);
      }
    },
    allFinite: (addresses) => finite(addresses, "averaged", WHOLE),
    nodeFinite: (node, part) =>
      finite(sumAddresses(plan, node.slot, "s1"), "averaged", part) &&
      (node.hi - node.lo === 1 || finite(sumAddresses(plan, node.slot, "s2"), "parameters", part)),
  };
}

const LINE_ELEMENTS = 16; // a cache line, so that two threads never write to the same one

/**
 * The share of the elements [start, end) of a segment that belongs to a part: where it starts, in bytes, and its
 * length, in elements. The cuts are the same for every operation, so that a thread's operations depend only on its own.
 */
function share(
  { averaged }: SegmentPlan,
  { index, of }: Part,
  begin: number,
  end: number,
): { from: number; length: number } {
  const cut = (i: number): number => {
    const at = i === of ? averaged : Math.floor((i * averaged) / of / LINE_ELEMENTS) * LINE_ELEMENTS;
    return Math.min(Math.max(at, begin), end);
  };
  return { from: cut(index) * BYTES_PER_ELEMENT, length: cut(index + 1) - cut(index) };
}
