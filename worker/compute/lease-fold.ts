/** What folds a thread's part of a lease: either the host does, or the program that computes its gradients. */
import { canonicalNodes, type Interval } from "../../shared/sums/index.js";
import type { FoldedNode } from "./fold.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import type { LeaseRequest } from "./protocol.js";
import type { Soon } from "./soon.js";

export interface PartFold {
  /** The leaf that is next; `hi` once all are in. */
  readonly leaf: number;
  /**
   * Computes the next leaf's gradient and folds it. @returns the loss.
   * @throws {NonFiniteError} if the loss or any element of the gradient is NaN or infinite.
   */
  add(batch: DecodedMicroBatch): Soon<number>;
  /** Once all are in: the part's nodes, whose sums are in the slots that the lease came with. */
  end(): Soon<FoldedPart>;
}

export interface FoldedPart {
  readonly nodes: FoldedNode[];
  /** Those of them that are sums of several leaves, stay as they are, and hold NaN or infinity. */
  readonly infinite: FoldedNode[];
}

/**
 * Whether a node is a sum of several leaves to which nothing is added any more in the whole lease: what overflows stays so
 * until then, and so only these need to be looked at.
 */
export function isLasting({ lo, hi }: Interval, { whole, microBatches }: LeaseRequest): boolean {
  return (
    hi - lo > 1 && canonicalNodes(whole.lo, whole.hi, microBatches).some((node) => node.lo === lo && node.hi === hi)
  );
}
