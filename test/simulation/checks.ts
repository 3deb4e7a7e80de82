import type { CoordinatorState } from "../../server/coordinator/core/index.js";
import type { ShardReport } from "../../server/shard/core/index.js";
import { type KappaFact, kappaFactOf, type StepPlan } from "../../shared/steps/index.js";
import { coefficientsOf, leavesOf } from "./formulas.js";
import type { World } from "./world.js";

/** Invariants of the cores' decisions, in addition to those that the shards' shells check. */

/** A leaf is done only when every shard covers it. */
export function checkDone(
  { shards, fail }: World,
  { board, plan }: Partial<Pick<CoordinatorState, "board" | "plan">>,
): void {
  if (board === undefined || plan === undefined) return;
  for (const [leaf, done] of board.done.entries()) {
    if (done === 0) continue;
    const missing = shards.find((shard) => !shard.hasCovered(plan.term, plan.step, leaf));
    if (missing !== undefined)
      fail("countedOnce", `leaf ${leaf} of step ${plan.step} counts as done, shard ${missing.index} misses it`);
  }
}

/**
 * A plan is the reference's, which takes κ from it.
 * @param frontier steps before this one are known to the planning coordinator, and keep their κ
 */
export function checkPlan(
  { reference, options, count, fail }: World,
  plan: StepPlan,
  frontier: number,
  durableKappa: readonly KappaFact[],
): void {
  const { term, step, microBatches, firstMicroBatch } = plan;
  const known = reference.kappaOf(step);
  if (known !== microBatches && known !== undefined) {
    if (step < frontier) fail("sameBits", `step ${step} is planned with κ = ${microBatches}, and had ${known}`);
    count("a forgotten step at another κ");
  }
  if (typeof options.microBatchesPerStep !== "number") {
    const kappa = kappaFactOf(durableKappa, step)?.microBatches ?? 0;
    if (kappa !== microBatches)
      fail("sameBits", `step ${step} is planned with κ = ${microBatches}, durable is ${kappa}`);
  }
  reference.plan(term, step, microBatches);
  const { mark } = reference.at(term, step);
  const expected = coefficientsOf({ ...mark, firstMicroBatch: mark.microBatches, microBatches });
  if (firstMicroBatch !== mark.microBatches || JSON.stringify(plan.coefficients) !== JSON.stringify(expected)) {
    fail("sameBits", `step ${step} is planned with other coefficients than the reference's`);
  }
}

/** A ledger has every leaf of every chunk once. */
export function checkLedger(
  { reference, shards, fail }: World,
  shard: number,
  { term, step, ledger }: Extract<ShardReport, { kind: "committed" }>,
): void {
  const leaves = leavesOf(reference, term, step);
  const chunks = ledger.flatMap(({ firstChunk, endChunk, ranges }) => {
    let next = 0;
    for (const { lo, hi } of ranges) {
      if (lo !== next)
        fail("countedOnce", `ledger of shard ${shard}, step ${step}: leaf ${Math.min(lo, next)} is not there once`);
      next = hi;
    }
    if (next !== leaves)
      fail("countedOnce", `ledger of shard ${shard}, step ${step} ends at leaf ${next} of ${leaves}`);
    return Array.from({ length: endChunk - firstChunk }, (_, i) => firstChunk + i);
  });
  if (chunks.join() !== shards[shard].chunks.join()) fail("countedOnce", `ledger of shard ${shard} misses chunks`);
}
