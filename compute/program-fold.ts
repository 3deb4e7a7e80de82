/**
 * Folds where gradients are computed: the program keeps gradient, S1 and S2 in its own memory, and only the part's nodes
 * are copied to the lease's slots, at the end. The additions have the order that `fold.ts` gives them, and each is rounded as
 * on the host, so the bits are the same.
 */

import type { SumsOperation } from "../backends/index.js";
import { began, span } from "../shared/trace/index.js";
import { createFold, type FoldedNode, type FoldOperation } from "./fold.js";
import { hostVectors } from "./gradient-form.js";
import type { GradientSums } from "./gradients.js";
import { isLasting, type PartFold } from "./lease-fold.js";
import { type SharedMemory, sumAddresses } from "./memory.js";
import type { LeaseRequest } from "./protocol.js";
import { inTurn, type Soon, when } from "./soon.js";
import { type LeaseWeights, leafCoefficientsOf } from "./sums.js";

/** Whether the program's sums of these leaves have the host's bits. */
export function canFold(sums: GradientSums, { lo, hi, weights }: LeaseRequest): boolean {
  if (weights === undefined) return true;
  const leaves = Array.from({ length: hi - lo }, (_, i) => leafCoefficientsOf(lo + i, weights));
  return leaves.flat().every((weight) => weight === 0 || weight >= sums.smallestWeight);
}

/** The program's slots are numbered from 0, whatever the lease's slots are. */
export function createProgramFold(
  request: LeaseRequest,
  memory: Pick<SharedMemory, "plan" | "memories">,
  sums: GradientSums,
): PartFold {
  const { lo, hi, microBatches, slots, apart, weights } = request;
  const fold = createFold(lo, hi, microBatches, [...slots.keys()].reverse(), apart);

  /** Copies a node to its slot. @returns whether it is finite; true for a single leaf, which has been checked. */
  const download = ({ lo, hi, slot }: FoldedNode): Soon<boolean> => {
    const s1 = hostVectors(memory, sumAddresses(memory.plan, slots[slot], "s1"));
    const s2 = hi - lo === 1 ? undefined : hostVectors(memory, sumAddresses(memory.plan, slots[slot], "s2"), "s2");
    return sums.read(slot, s1, s2);
  };

  return {
    get leaf() {
      return fold.leaf;
    },
    add(batch) {
      const { target } = fold;
      return when(sums.compute(batch), (loss) => {
        const begun = began();
        const kept: SumsOperation[] = target === "gradient" ? [] : [{ kind: "keep", slot: target.slot }];
        sums.perform([...kept, ...fold.accept().map((operation) => weighed(operation, weights))]);
        span("fold", begun, batch.number);
        return loss;
      });
    },
    end() {
      const begun = began();
      const kept = fold.nodes();
      return when(inTurn(kept, download), (finite) => {
        span("download", begun, kept.length);
        const nodes = kept.map((node) => ({ ...node, slot: slots[node.slot] }));
        return { nodes, infinite: nodes.filter((node, i) => !finite[i] && isLasting(node, request)) };
      });
    },
  };
}

function weighed(operation: FoldOperation, weights: LeaseWeights | undefined): SumsOperation {
  if (operation.kind === "add") return operation;
  const { kind, slot, leaf } = operation;
  return { kind, slot, weights: weights && leafCoefficientsOf(leaf, weights) };
}
