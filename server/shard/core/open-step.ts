import type { MergedChunks, MergedRange, StepPlan } from "../../../shared/steps/index.js";
import type { CountedSlots } from "./slots.js";
import type { Staging } from "./staging.js";

/** The state of the step that is open, or will be when its plan arrives. */
export interface OpenStep {
  plan: StepPlan | undefined;
  readonly chunks: ReadonlyMap<number, ChunkStep>;
  /** How many chunks are not updated yet. */
  chunksLeft: number;
  /** For each leaf, the number of chunks that cover it. */
  coveredBy: Uint32Array;
  /** One per leaf; NaN until it arrives. */
  losses: number[];
}

export interface ChunkStep extends Staging {
  applied: boolean;
  /** Once the chunk is updated: the pushes that it was made from. */
  merged: readonly MergedRange[];
}

export function createOpenStep(chunks: readonly number[]): OpenStep {
  return {
    plan: undefined,
    chunks: new Map(chunks.map((chunk) => [chunk, { applied: false, merged: [], entries: [] }])),
    chunksLeft: chunks.length,
    coveredBy: new Uint32Array(0),
    losses: [],
  };
}

/** Discards everything that is staged, and the plan. */
export function clearStep(step: OpenStep, slots: CountedSlots): void {
  for (const chunk of step.chunks.values()) {
    for (const entry of chunk.entries) slots.give(entry.slot);
    chunk.applied = false;
    chunk.merged = [];
    chunk.entries = [];
  }
  step.chunksLeft = step.chunks.size;
  step.plan = undefined;
}

export function openStep(step: OpenStep, plan: StepPlan): void {
  step.plan = plan;
  step.coveredBy = new Uint32Array(plan.microBatches);
  step.losses = new Array<number>(plan.microBatches).fill(Number.NaN);
}

/**
 * The pushes that each chunk was made from. Neighbouring chunks with the same ranges from the same workers become one
 * record.
 */
export function ledgerOf(step: OpenStep): MergedChunks[] {
  const groups: { firstChunk: number; endChunk: number; ranges: readonly MergedRange[] }[] = [];
  const same = (a: readonly MergedRange[], b: readonly MergedRange[]): boolean =>
    a.length === b.length &&
    a.every((range, i) => range.lo === b[i].lo && range.hi === b[i].hi && range.worker === b[i].worker);
  for (const [chunk, { merged: ranges }] of step.chunks) {
    const last = groups.at(-1);
    if (last !== undefined && last.endChunk === chunk && same(last.ranges, ranges)) last.endChunk = chunk + 1;
    else groups.push({ firstChunk: chunk, endChunk: chunk + 1, ranges });
  }
  return groups;
}
