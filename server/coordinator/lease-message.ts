import { leaseMac } from "../../shared/credentials/index.js";
import type { StepPlan } from "../../shared/steps/index.js";
import type { WorkerCommand } from "../../shared/wire/index.js";
import type { GrantedLease } from "./core/index.js";

/** A lease as it is sent to its worker: signed, so that shards can verify that the coordinator granted it. */
export function leaseMessage(
  { runId, leaseKey }: { readonly runId: string; readonly leaseKey: Uint8Array },
  { lo, hi, lease, worker }: GrantedLease,
  plan: StepPlan,
): NonNullable<WorkerCommand["lease"]> {
  const { term, step } = plan;
  const claims = { runId, workerId: worker, lease, term, step, lo, hi };
  return {
    ...claims,
    firstMicroBatch: plan.firstMicroBatch,
    microBatches: plan.microBatches,
    leafCoefficients1: [...(plan.leafCoefficients1?.subarray(lo, hi) ?? [])],
    leafCoefficients2: [...(plan.leafCoefficients2?.subarray(lo, hi) ?? [])],
    mac: leaseMac(leaseKey, claims),
  };
}
