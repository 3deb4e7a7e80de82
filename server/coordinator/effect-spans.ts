import { span } from "../../shared/trace/index.js";
import type { CoordinatorEffect } from "./core/index.js";

/** Records in the trace how long performing the effect took, given its start. */
export function traceEffect(effect: CoordinatorEffect, begun: number): void {
  switch (effect.kind) {
    case "plan":
      return span("plan", begun, effect.plan.step, effect.shard);
    case "lease": {
      const { lease, lo, hi } = effect.lease;
      return span("lease", begun, lease, effect.plan.step, lo, hi);
    }
    case "committed": {
      const { plan, ms } = effect.commit;
      return span("step", begun - ms.step, plan.step);
    }
  }
}
