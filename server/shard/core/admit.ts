import type { StepPlan } from "../../../shared/steps/index.js";
import type { LeafCoefficientPair, OfferedNode, ShardEffect } from "./messages.js";
import type { ChunkStep, OpenStep } from "./open-step.js";
import type { CountedSlots } from "./slots.js";
import { type FreeSlots, holds, stageNode, uncoveredLeaves } from "./staging.js";

/**
 * Admits chunks of a node that have been judged to be wanted, and returns what to do with their sums: first the
 * arithmetic, chunk by chunk, then the chunks that readers can get, then the reports to the coordinator.
 *
 * The arithmetic of one chunk does not depend on another's, so it may be done in any order, or in parallel: slots are
 * given back only when all chunks have been processed, so that none is used for two chunks.
 */
export function admit(
  step: OpenStep,
  slots: CountedSlots,
  node: OfferedNode,
  chunks: readonly number[],
): { arithmetic: ShardEffect[]; applied: number[]; reports: ShardEffect[] } {
  const plan = step.plan!;
  const { chunksLeft } = step;
  const given: number[] = [];
  const pool: FreeSlots = { take: slots.take, give: (slot) => given.push(slot) };
  const arithmetic: ShardEffect[] = [];
  const applied: number[] = [];
  const covered: number[] = [];
  for (const index of chunks) {
    const chunk = step.chunks.get(index)!;
    if (chunk.applied || holds(chunk, node)) {
      throw new Error(`Chunk ${index} of [${node.lo}, ${node.hi}) was admitted without being judged.`);
    }
    for (const leaf of uncoveredLeaves(chunk, node)) {
      step.coveredBy[leaf]++;
      if (step.coveredBy[leaf] === step.chunks.size) covered.push(leaf);
    }
    arithmetic.push(...stage(chunk, index, node, plan, pool));
    if (chunk.applied) applied.push(index);
  }
  for (const slot of given) slots.give(slot);
  step.chunksLeft -= applied.length;

  const reports: ShardEffect[] = [];
  const { term, step: number } = plan;
  if (applied.length > 0 && chunksLeft === step.chunks.size && step.chunksLeft > 0) {
    reports.push({ kind: "report", report: { kind: "superseded", term, step: number } });
  }
  for (const { lo, hi } of runs(covered.sort((a, b) => a - b))) {
    reports.push({ kind: "report", report: { kind: "covered", term, step: number, lo, hi } });
  }
  return { arithmetic, applied, reports };
}

/** Stages the node in one chunk, and updates the chunk if that completes its root. */
function stage(chunk: ChunkStep, index: number, node: OfferedNode, plan: StepPlan, pool: FreeSlots): ShardEffect[] {
  const { moves, entry } = stageNode(chunk, node, node.worker, plan.microBatches, pool);
  const leaf = node.hi - node.lo === 1 ? leafCoefficientsOf(plan, node.lo) : undefined;
  const effects = moves.map(
    (move): ShardEffect => (move.kind === "merge" ? { ...move, chunk: index } : { ...move, chunk: index, leaf }),
  );
  if (entry.lo === 0 && entry.hi === plan.microBatches) {
    effects.push({ kind: "apply", chunk: index, slot: entry.slot, plan });
    pool.give(entry.slot);
    chunk.entries = [];
    chunk.applied = true;
    chunk.merged = entry.merged;
  }
  return effects;
}

function leafCoefficientsOf(plan: StepPlan, leaf: number): LeafCoefficientPair {
  return { w1: plan.leafCoefficients1?.[leaf] ?? 1, w2: plan.leafCoefficients2?.[leaf] ?? 1 };
}

/** Ascending numbers as runs [lo, hi). */
function runs(numbers: readonly number[]): { lo: number; hi: number }[] {
  const found: { lo: number; hi: number }[] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last.hi === number) last.hi = number + 1;
    else found.push({ lo: number, hi: number + 1 });
  }
  return found;
}
