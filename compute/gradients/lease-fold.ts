/** Folding a thread's part of a lease, either on the host or in the program that computes its gradients. */
import { canonicalNodes, type Interval } from "../../shared/sums/index.js";
import type { Awaitable } from "../awaitable.js";
import type { FoldedNode } from "../fold.js";
import type { LeaseRequest } from "../protocol.js";
import type { DecodedMicroBatch } from "./model-gradient.js";

export interface PartFold {
  /** The next leaf; `hi` once all are in. */
  readonly leaf: number;
  /**
   * Computes the next leaf's gradient and folds it.
   * @returns the loss
   * @throws {NonFiniteError} if the loss or any element of the gradient is NaN or infinite
   */
  add(batch: DecodedMicroBatch): Awaitable<number>;
  /** To be called once all leaves are in. @returns the part's nodes, whose sums are in the lease's slots. */
  end(): Awaitable<FoldedPart>;
}

export interface FoldedPart {
  readonly nodes: FoldedNode[];
  /** The nodes that are final sums, as `isFinal` says, and hold NaN or infinity. */
  readonly infinite: FoldedNode[];
}

/**
 * Whether a node is a sum of several leaves to which the whole lease adds nothing more. Sums that have overflowed stay
 * NaN or infinite regardless of what is added, so only these need to be checked.
 */
export function isFinal({ lo, hi }: Interval, { whole, microBatches }: LeaseRequest): boolean {
  return (
    hi - lo > 1 && canonicalNodes(whole.lo, whole.hi, microBatches).some((node) => node.lo === lo && node.hi === hi)
  );
}
