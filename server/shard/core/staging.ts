import type { MergedRange } from "../../../shared/steps/index.js";
import { type Interval, parentOf, siblingOf } from "../../../shared/sums/index.js";

/**
 * Staging of one chunk in one step: which nodes are in, and what to add to what.
 *
 * The nodes of the tree are laminar: two of them are disjoint or one holds the other. So at any time the staged
 * entries are disjoint nodes, and a newly offered node is either inside an entry (then its leaves are in: drop it),
 * or disjoint from all, or it holds some whole. In the last case those are partial sums that have not merged with
 * anything outside the new node (else an entry would hold more than the node does), so they can be thrown away
 * without counting a leaf twice. That is the entire argument for "exactly once".
 */
export interface Entry extends Interval {
  readonly slot: number;
  /** The pushes that it was made from, from left to right. */
  readonly merged: readonly MergedRange[];
}

export interface FreeSlots {
  take(): number;
  give(slot: number): void;
}

export interface Staging {
  /** Disjoint, in order. */
  entries: Entry[];
}

/** The operations on slots that staging a node requires, in order. */
export type StagingMove =
  | { readonly kind: "stage"; readonly slot: number }
  | { readonly kind: "accumulate"; readonly slot: number }
  | { readonly kind: "merge"; readonly into: number; readonly from: number };

/** Whether some entry holds the whole node already. */
export function holds(staging: Staging, node: Interval): boolean {
  return staging.entries.some((entry) => entry.lo <= node.lo && node.hi <= entry.hi);
}

/** The leaves of the node that no entry covers, in order. */
export function uncoveredLeaves(staging: Staging, node: Interval): number[] {
  const leaves: number[] = [];
  for (let leaf = node.lo; leaf < node.hi; leaf++) {
    if (!staging.entries.some((entry) => entry.lo <= leaf && leaf < entry.hi)) leaves.push(leaf);
  }
  return leaves;
}

/** The lowest leaf that no entry covers; `leaves` if all are covered. */
export function lowestUncovered(staging: Staging, leaves: number): number {
  let lowest = 0;
  for (const entry of staging.entries) {
    if (entry.lo > lowest) break;
    lowest = entry.hi;
  }
  return Math.min(lowest, leaves);
}

/**
 * Stages a node that no entry holds, and merges siblings upwards as far as they go.
 * @returns the moves, and the entry the node ended up in (the root's, if the chunk is complete).
 */
export function stageNode(
  staging: Staging,
  node: Interval,
  worker: string,
  leaves: number,
  slots: FreeSlots,
): { moves: StagingMove[]; entry: Entry } {
  const kept: Entry[] = [];
  for (const entry of staging.entries) {
    if (node.lo <= entry.lo && entry.hi <= node.hi) slots.give(entry.slot);
    else kept.push(entry);
  }
  const moves: StagingMove[] = [];
  const takeSibling = (of: Interval): Entry | undefined => {
    const sibling = siblingOf(of, leaves);
    const at = kept.findIndex((entry) => entry.lo === sibling?.lo && entry.hi === sibling.hi);
    return at < 0 ? undefined : kept.splice(at, 1)[0];
  };
  let merged: readonly MergedRange[] = [{ lo: node.lo, hi: node.hi, worker }];
  let current: Interval = node;
  let slot: number | undefined;
  for (let sibling = takeSibling(current); sibling !== undefined; sibling = takeSibling(current)) {
    // Addition commutes bit for bit, so it doesn't matter which side's slot survives.
    if (slot === undefined) {
      moves.push({ kind: "accumulate", slot: sibling.slot });
    } else {
      moves.push({ kind: "merge", into: sibling.slot, from: slot });
      slots.give(slot);
    }
    slot = sibling.slot;
    merged = sibling.lo < current.lo ? [...sibling.merged, ...merged] : [...merged, ...sibling.merged];
    current = parentOf(current, leaves) ?? current;
  }
  if (slot === undefined) {
    slot = slots.take();
    moves.push({ kind: "stage", slot });
  }
  const entry: Entry = { lo: current.lo, hi: current.hi, slot, merged };
  const at = kept.findIndex((other) => other.lo > entry.lo);
  kept.splice(at < 0 ? kept.length : at, 0, entry);
  staging.entries = kept;
  return { moves, entry };
}
