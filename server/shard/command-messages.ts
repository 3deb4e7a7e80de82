import type { Pass, Role } from "../../shared/credentials/index.js";
import type { StepPlan } from "../../shared/steps/index.js";
import type { Passes__Output, ShardCommand, ShardCommand__Output, StepPlan__Output } from "../../shared/wire/index.js";
import type { ShardEvent } from "./core/index.js";

/** The coordinator's commands to a shard as messages, both ways. */

export function planMessage(plan: StepPlan): ShardCommand {
  const { leafCoefficients1 = [], leafCoefficients2 = [] } = plan;
  return { plan: { ...plan, leafCoefficients1: [...leafCoefficients1], leafCoefficients2: [...leafCoefficients2] } };
}

/** The command as the core's event; undefined for those that are the shell's own business. */
export function commandEvent({ restore, plan, checkpoint }: ShardCommand__Output): ShardEvent | undefined {
  if (restore != null) return { kind: "restore", ...restore };
  if (plan != null) return { kind: "plan", plan: planOf(plan) };
  if (checkpoint != null) {
    const { term, noise, ...mark } = checkpoint;
    return { kind: "checkpoint", term, mark: { ...mark, ...(noise && { noise }) } };
  }
  return undefined;
}

function planOf({ coefficients, leafCoefficients1, leafCoefficients2, ...plan }: StepPlan__Output): StepPlan {
  const weights = (values: number[]): Float32Array | undefined =>
    values.length === 0 ? undefined : Float32Array.from(values);
  return {
    ...plan,
    coefficients: coefficients!,
    leafCoefficients1: weights(leafCoefficients1),
    leafCoefficients2: weights(leafCoefficients2),
  };
}

/** Who is admitted, according to the coordinator. */
export function passesOf(message: Passes__Output | null): Pass[] {
  return (message?.passes ?? []).map(({ name, role, hash, expiresMs, revokedMs }) => ({
    name,
    role: role as Role,
    hash,
    expiresMs: expiresMs === 0 ? undefined : expiresMs,
    revokedMs: revokedMs === 0 ? undefined : revokedMs,
  }));
}
