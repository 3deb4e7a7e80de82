/**
 * Folding where gradients are computed: the program keeps gradient, S1 and S2 in its own memory, and only the part's
 * nodes are copied to the lease's slots, at the end. The additions have the order that `fold.ts` gives them, and each
 * is rounded as on the host, so the bits are the same.
 */

import type { SumsOperation } from "../../backends/index.js";
import { began, span } from "../../shared/trace/index.js";
import { type Awaitable, mapInOrder, whenAvailable } from "../awaitable.js";
import { createFold, type FoldedNode, type FoldOperation } from "../fold.js";
import { type SharedMemory, sumAddresses } from "../memory.js";
import type { LeaseRequest } from "../protocol.js";
import { type LeaseCoefficients, leafCoefficientsOf } from "../sums.js";
import { hostVectors } from "./gradient-form.js";
import type { GradientSums } from "./gradients.js";
import { isFinal, type PartFold } from "./lease-fold.js";

/** Whether the program's sums of these leaves have the host's bits. */
export function canFold(sums: GradientSums, { lo, hi, coefficients }: LeaseRequest): boolean {
  if (coefficients === undefined) return true;
  const leaves = Array.from({ length: hi - lo }, (_, i) => leafCoefficientsOf(lo + i, coefficients));
  return leaves.flat().every((each) => each === 0 || each >= sums.smallestCoefficient);
}

/** The program's slots are numbered from 0, independently of the lease's slots. */
export function createProgramFold(
  request: LeaseRequest,
  memory: Pick<SharedMemory, "plan" | "memories">,
  sums: GradientSums,
): PartFold {
  const { lo, hi, microBatches, slots, apart, coefficients } = request;
  const fold = createFold(lo, hi, microBatches, [...slots.keys()].reverse(), apart);

  /** Copies a node to its slot. @returns whether it is finite; true for a single leaf, which has been checked. */
  const download = ({ lo, hi, slot }: FoldedNode): Awaitable<boolean> => {
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
      return whenAvailable(sums.compute(batch), (loss) => {
        const begun = began();
        const kept: SumsOperation[] = target === "gradient" ? [] : [{ kind: "keep", slot: target.slot }];
        sums.perform([...kept, ...fold.accept().map((operation) => withCoefficients(operation, coefficients))]);
        span("fold", begun, batch.number);
        return loss;
      });
    },
    end() {
      const begun = began();
      const kept = fold.nodes();
      return whenAvailable(mapInOrder(kept, download), (finite) => {
        span("download", begun, kept.length);
        const nodes = kept.map((node) => ({ ...node, slot: slots[node.slot] }));
        return { nodes, infinite: nodes.filter((node, i) => !finite[i] && isFinal(node, request)) };
      });
    },
  };
}

function withCoefficients(operation: FoldOperation, coefficients: LeaseCoefficients | undefined): SumsOperation {
  if (operation.kind === "add") return operation;
  const { kind, slot, leaf } = operation;
  return { kind, slot, coefficients: coefficients && leafCoefficientsOf(leaf, coefficients) };
}
