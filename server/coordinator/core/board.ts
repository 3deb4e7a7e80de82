import type { Interval } from "../../../shared/sums/index.js";
import type { GrantedLease } from "./messages.js";

/**
 * The board of the open stage: which of its items (leaves of a step, or batches of an evaluation) are done, and which
 * worker has a lease on which.
 *
 * A lease only says which worker should compute what; it proves nothing. So granting the same item twice is always
 * safe, and the board grants generously: an item is open if it is neither done nor under a promising lease, and a lease
 * is no longer promising when its worker is lost, falls silent, fails, or takes several times longer than usual.
 */
export interface LeaseBoard {
  readonly count: number;
  readonly done: Uint8Array;
  doneCount: number;
  readonly leases: Map<number, GrantedLease>;
  /** Workers whose numbers were not finite in this stage: other workers are preferred. */
  readonly demoted: Set<string>;
}

export function createBoard(count: number): LeaseBoard {
  return { count, done: new Uint8Array(count), doneCount: 0, leases: new Map(), demoted: new Set() };
}

/** Marks an item done. @returns whether it was open until now */
export function markDone(board: LeaseBoard, item: number): boolean {
  if (board.done[item] === 1) return false;
  board.done[item] = 1;
  board.doneCount++;
  return true;
}

export function isComplete(board: LeaseBoard): boolean {
  return board.doneCount === board.count;
}

/** Whether every item of the lease is done. */
export function isLeaseDone(board: LeaseBoard, lease: Interval): boolean {
  for (let item = lease.lo; item < lease.hi; item++) if (board.done[item] === 0) return false;
  return true;
}

/** The items that are neither done nor under a promising lease, as ascending runs. */
export function openItems(board: LeaseBoard, isPromising: (lease: GrantedLease) => boolean): Interval[] {
  const taken = Uint8Array.from(board.done);
  for (const lease of board.leases.values()) if (isPromising(lease)) taken.fill(1, lease.lo, lease.hi);
  const runs: { lo: number; hi: number }[] = [];
  for (let item = 0; item < board.count; item++) {
    if (taken[item] === 1) continue;
    const last = runs.at(-1);
    if (last?.hi === item) last.hi = item + 1;
    else runs.push({ lo: item, hi: item + 1 });
  }
  return runs;
}

export interface Candidate {
  readonly worker: string;
  /** The milliseconds it takes for an item; undefined if never measured. */
  readonly itemMs: number | undefined;
  /** The items it has been given so far, so that workers take turns if there are not enough for all. */
  readonly given: number;
}

/**
 * Two finishing times that differ by less than this are a tie, so that noise in the measured speed does not skew the
 * shares.
 */
const TIE = 0.2;

/**
 * Shares out the open items so that the last worker finishes as early as possible: in order, each item goes to the
 * worker that would finish it first. Every worker's items are contiguous within each run.
 * @returns ranges in ascending order.
 */
export function shareItems(
  runs: readonly Interval[],
  candidates: readonly Candidate[],
): (Interval & { worker: string })[] {
  if (candidates.length === 0) return [];
  const known = candidates.flatMap(({ itemMs }) => (itemMs === undefined ? [] : [itemMs]));
  const typicalMs = known.length === 0 ? 1 : known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const hands = candidates.map(({ worker, itemMs, given }) => ({
    worker,
    itemMs: itemMs ?? typicalMs,
    given,
    items: 0,
  }));
  const total = runs.reduce((sum, { lo, hi }) => sum + hi - lo, 0);
  for (let i = 0; i < total; i++) {
    const earliestMs = Math.min(...hands.map((hand) => (hand.items + 1) * hand.itemMs));
    let chosen: (typeof hands)[number] | undefined;
    for (const hand of hands) {
      if ((hand.items + 1) * hand.itemMs > earliestMs * (1 + TIE)) continue;
      if (chosen === undefined || hand.given + hand.items < chosen.given + chosen.items) chosen = hand;
    }
    chosen!.items++;
  }
  const shares: (Interval & { worker: string })[] = [];
  let at = 0;
  for (const { lo, hi } of runs) {
    let next = lo;
    while (next < hi) {
      while (hands[at].items === 0) at++;
      const take = Math.min(hi - next, hands[at].items);
      shares.push({ worker: hands[at].worker, lo: next, hi: next + take });
      hands[at].items -= take;
      next += take;
    }
  }
  return shares;
}
