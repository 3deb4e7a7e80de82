/**
 * The one tree that defines every sum of a step.
 *
 * The leaves are the step's κ micro-batches. The sum over [lo, hi) is the leaf itself for one leaf, else
 * `sum([lo, mid)) + sum([mid, hi))` with mid = lo + the largest power of two smaller than hi − lo. Float32 addition
 * is not associative, so fixing the tree fixes the bits: every process that computes a node gets the same ones, and
 * neither arrival order nor the number of workers affects them. The nodes are exactly the intervals
 * [a·2^k, min((a+1)·2^k, κ)), and any contiguous range of leaves is a short list of them.
 */

/** Leaves [lo, hi) of a step; where stated, a node of the tree. */
export interface Interval {
  readonly lo: number;
  /** Exclusive. */
  readonly hi: number;
}

/** The smallest power of two that is ≥ `length` (an integer in [1, 2^30]). */
function powerOfTwoAtLeast(length: number): number {
  return length <= 1 ? 1 : 2 ** (32 - Math.clz32(length - 1));
}

/** Whether [lo, hi) is a node of the tree over `leaves` leaves. */
export function isNode(lo: number, hi: number, leaves: number): boolean {
  if (!(Number.isInteger(lo) && Number.isInteger(hi) && lo >= 0 && lo < hi && hi <= leaves)) return false;
  const span = powerOfTwoAtLeast(hi - lo);
  return lo % span === 0 && (hi - lo === span || hi === leaves);
}

/**
 * The maximal nodes that make up the leaves [lo, hi), from left to right: at most 2·log2(hi − lo) + 1 of them.
 * @throws {RangeError} unless 0 ≤ lo < hi ≤ leaves
 */
export function canonicalNodes(lo: number, hi: number, leaves: number): Interval[] {
  if (!(lo >= 0 && lo < hi && hi <= leaves)) throw new RangeError(`[${lo}, ${hi}) of ${leaves} leaves`);
  const nodes: Interval[] = [];
  let at = lo;
  while (at < hi) {
    let span = 1;
    // Double while the doubled node starts here and does not reach past the range.
    while (span < leaves && at % (span * 2) === 0 && Math.min(at + span * 2, leaves) <= hi) span *= 2;
    const end = Math.min(at + span, leaves);
    nodes.push({ lo: at, hi: end });
    at = end;
  }
  return nodes;
}

/** The smallest node that holds the given node and more; undefined for the root [0, leaves). */
export function parentOf(node: Interval, leaves: number): Interval | undefined {
  if (node.lo === 0 && node.hi === leaves) return undefined;
  let span = powerOfTwoAtLeast(node.hi - node.lo);
  // Where the right sibling is absent, the next level has the same interval: go up until it grows.
  for (;;) {
    span *= 2;
    const lo = Math.floor(node.lo / span) * span;
    const hi = Math.min(lo + span, leaves);
    if (lo !== node.lo || hi !== node.hi) return { lo, hi };
  }
}

/** The other child of the node's parent; undefined for the root. */
export function siblingOf(node: Interval, leaves: number): Interval | undefined {
  const parent = parentOf(node, leaves);
  if (parent === undefined) return undefined;
  return node.lo === parent.lo ? { lo: node.hi, hi: parent.hi } : { lo: parent.lo, hi: node.lo };
}
