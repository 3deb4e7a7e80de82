/**
 * The order of a lease's additions: gradients arrive leaf by leaf and are folded into the lease's canonical nodes on
 * a stack, so that at most 1 + 2·log2(leaves) sums are held, whatever the lease's length.
 *
 * A leaf that starts a node is read directly into a new slot, where it stays raw (a node of one leaf is only g: it is
 * sent in this form, and any code that folds it applies its coefficients). A leaf that completes a pair is read into
 * the thread's one gradient buffer and folded from there, so a node of two leaves never stores the second. Whenever the
 * two topmost nodes are siblings they become their parent, the right one added to the left.
 *
 * Nothing is computed here; the caller performs the operations in the order in which they are returned.
 */
import { canonicalNodes, type Interval, parentOf } from "../shared/sums/index.js";

/** A node and the slot that holds its sums; a node of one leaf has its raw gradient in S1 and nothing in S2. */
export interface FoldedNode extends Interval {
  readonly slot: number;
}

/**
 * What is to be done to sums. Leaves are counted from the start of the step; so are their coefficients.
 *
 * - `square`: the slot holds leaf `leaf` raw; it becomes (w1·g, w2·g²).
 * - `addGradient`: the gradient buffer holds leaf `leaf`; (w1·g, w2·g²) is added to the slot.
 * - `add`: the sums of `slot` are added to those of `into`; `slot` is free afterwards.
 */
export type FoldOperation =
  | { readonly kind: "square"; readonly slot: number; readonly leaf: number }
  | { readonly kind: "addGradient"; readonly slot: number; readonly leaf: number }
  | { readonly kind: "add"; readonly into: number; readonly slot: number };

export interface Fold {
  /** Where the next leaf's gradient has to be written: a slot's S1, or the gradient buffer. */
  readonly target: { readonly slot: number } | "gradient";
  /** The next leaf; `hi` once all are in. */
  readonly leaf: number;
  /** To be called once the next leaf's gradient is in its target; returns what to do now, in order. */
  accept(): FoldOperation[];
  /** The nodes so far, from left to right: the canonical ones of the range once all leaves are in. */
  nodes(): FoldedNode[];
}

/**
 * @param slots free slots, at least `slotsNeeded(lo, hi)` of them; one per leaf if they stay apart
 * @param microBatches κ, the leaves of the step
 * @param apart whether every leaf stays a separate node
 */
export function createFold(
  lo: number,
  hi: number,
  microBatches: number,
  slots: readonly number[],
  apart = false,
): Fold {
  const free = [...slots];
  const stack: FoldedNode[] = [];
  let leaf = lo;

  /** Whether leaf `leaf` and the topmost node are siblings and both leaves. */
  const completesPair = (): boolean => {
    const top = stack.at(-1);
    if (apart || top === undefined || top.hi - top.lo !== 1 || leaf === hi) return false;
    const parent = parentOf(top, microBatches);
    return parent !== undefined && parent.lo === top.lo && parent.hi === leaf + 1;
  };

  return {
    get leaf() {
      return leaf;
    },
    get target() {
      return completesPair() ? "gradient" : { slot: free[free.length - 1] };
    },
    accept() {
      if (leaf >= hi) throw new RangeError(`the leaves [${lo}, ${hi}) are all in`);
      const operations: FoldOperation[] = [];
      if (completesPair()) {
        const top = stack.pop()!;
        operations.push({ kind: "square", slot: top.slot, leaf: top.lo });
        operations.push({ kind: "addGradient", slot: top.slot, leaf });
        stack.push({ lo: top.lo, hi: leaf + 1, slot: top.slot });
      } else {
        stack.push({ lo: leaf, hi: leaf + 1, slot: free.pop()! });
      }
      leaf += 1;
      if (!apart) operations.push(...mergeTop(stack, microBatches, free));
      return operations;
    },
    nodes: () => [...stack],
  };
}

/**
 * Joins the nodes of neighbouring ranges, given from left to right, into the canonical nodes of the whole, for a lease
 * that several threads have folded. Returns those nodes, and what to do in order.
 */
export function joinNodes(
  nodes: readonly FoldedNode[],
  microBatches: number,
): { nodes: FoldedNode[]; operations: FoldOperation[] } {
  const stack: FoldedNode[] = [];
  const operations: FoldOperation[] = [];
  for (const node of nodes) {
    stack.push(node);
    operations.push(...mergeTop(stack, microBatches, []));
  }
  return { nodes: stack, operations };
}

/** Merges the two topmost nodes while they are siblings; slots that become free go to `free`. */
function mergeTop(stack: FoldedNode[], microBatches: number, free: number[]): FoldOperation[] {
  const operations: FoldOperation[] = [];
  while (stack.length >= 2) {
    const left = stack[stack.length - 2];
    const right = stack[stack.length - 1];
    const parent = parentOf(right, microBatches);
    if (parent === undefined || parent.lo !== left.lo || parent.hi !== right.hi) break;
    for (const node of [left, right]) {
      if (node.hi - node.lo === 1) operations.push({ kind: "square", slot: node.slot, leaf: node.lo });
    }
    operations.push({ kind: "add", into: left.slot, slot: right.slot });
    stack.splice(-2, 2, { ...parent, slot: left.slot });
    free.push(right.slot);
  }
  return operations;
}

/**
 * The number of slots that folding [lo, hi) takes: the most nodes that any of its prefixes has. At the step's end a
 * last leaf without a sibling takes a slot before it is merged, so the count is that of a step that continues.
 */
export function slotsNeeded(lo: number, hi: number): number {
  let most = 1;
  for (let end = lo + 1; end <= hi; end++) most = Math.max(most, canonicalNodes(lo, end, LEAVES_MAX).length);
  return most;
}

const LEAVES_MAX = 2 ** 30;

/**
 * An upper bound of `slotsNeeded` for every range of at most `leaves` leaves: one node for each power of two up to the
 * largest node in the range, and down again.
 */
export function slotsNeededMax(leaves: number): number {
  return 1 + 2 * Math.floor(Math.log2(leaves));
}

/**
 * Cuts [lo, hi) into at most `parts` contiguous ranges of nearly equal length, none longer than the even share
 * rounded up. Within these limits every cut is made at a multiple of the largest possible power of two, where
 * it splits the fewest nodes.
 */
export function splitLeaves(lo: number, hi: number, parts: number): Interval[] {
  const share = Math.ceil((hi - lo) / parts);
  const ranges: Interval[] = [];
  let start = lo;
  for (let rest = parts - 1; start < hi; rest--) {
    // The rest must not get more than its share either.
    const first = Math.max(start + 1, hi - rest * share);
    const last = Math.min(start + share, hi);
    let cut = first;
    for (let candidate = first; candidate <= last; candidate++) {
      if (trailingZeros(candidate) >= trailingZeros(cut)) cut = candidate;
    }
    if (rest === 0) cut = hi;
    ranges.push({ lo: start, hi: cut });
    start = cut;
  }
  return ranges;
}

function trailingZeros(n: number): number {
  return n === 0 ? 32 : 31 - Math.clz32(n & -n);
}
