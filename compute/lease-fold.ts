/** Folding a thread's part of a lease, which is done either by the host or by the program that computes its gradients. */
import { canonicalNodes, type Interval } from "../shared/sums/index.js";
import type { FoldedNode } from "./fold.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import type { LeaseRequest } from "./protocol.js";
import type { Soon } from "./soon.js";

export interface PartFold {
  /** The next leaf; `hi` once all are in. */
  readonly leaf: number;
  /**
   * Computes the next leaf's gradient and folds it. @returns the loss.
   * @throws {NonFiniteError} if the loss or any element of the gradient is NaN or infinite.
   */
  add(batch: DecodedMicroBatch): Soon<number>;
  /** To be called once all leaves are in. @returns the part's nodes, whose sums are in the lease's slots. */
  end(): Soon<FoldedPart>;
}

export interface FoldedPart {
  readonly nodes: FoldedNode[];
  /** Those of the nodes that are lasting sums, as `isLasting` says, and hold NaN or infinity. */
  readonly infinite: FoldedNode[];
}

/**
 * Whether a node is a sum of several leaves to which the whole lease adds nothing more. Sums that have overflowed stay NaN or
 * infinite, whatever is added, so only these need to be checked.
 */
export function isLasting({ lo, hi }: Interval, { whole, microBatches }: LeaseRequest): boolean {
  return (
    hi - lo > 1 && canonicalNodes(whole.lo, whole.hi, microBatches).some((node) => node.lo === lo && node.hi === hi)
  );
}
