/** Folding on the host: each gradient is written to the shared memories, and added there by the SIMD kernels. */
import { began, span } from "../../shared/trace/index.js";
import { createFold } from "../fold.js";
import { gradientAddresses, type MemoryPlan, sumAddresses } from "../memory.js";
import type { LeaseRequest } from "../protocol.js";
import { type Sums, WHOLE } from "../sums.js";
import type { Gradients } from "./gradients.js";
import { isFinal, type PartFold } from "./lease-fold.js";

export interface HostFoldOptions {
  readonly thread: number;
  readonly plan: MemoryPlan;
  readonly sums: Sums;
  readonly gradients: Pick<Gradients, "compute">;
}

export function createHostFold(request: LeaseRequest, { thread, plan, sums, gradients }: HostFoldOptions): PartFold {
  const { lo, hi, microBatches, slots, apart, coefficients } = request;
  const fold = createFold(lo, hi, microBatches, slots, apart);
  return {
    get leaf() {
      return fold.leaf;
    },
    add(batch) {
      const { target } = fold;
      const addresses = target === "gradient" ? gradientAddresses(plan, thread) : sumAddresses(plan, target.slot, "s1");
      const loss = gradients.compute(batch, addresses);
      const begun = began();
      for (const operation of fold.accept()) sums.perform(operation, coefficients, WHOLE);
      span("fold", begun, batch.number);
      return loss;
    },
    end() {
      const nodes = fold.nodes();
      return { nodes, infinite: nodes.filter((node) => isFinal(node, request) && !sums.nodeFinite(node, WHOLE)) };
    },
  };
}
