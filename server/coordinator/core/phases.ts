/**
 * Where a step's time went, on the way of the lease that was computed last: weights, waiting, computing, pushing. These
 * follow one another, so together they are the step.
 */
export interface StepPhases {
  /** From the plan to the last shard's commit. */
  readonly step: number;
  /** From the plan until the worker held the weights, or began to compute before that was heard. */
  readonly pull: number;
  /** From then on, all that was not computing: until it had the lease, its samples, its threads, and until it said so. */
  readonly wait: number;
  readonly compute: number;
  /** From then until the commit, merging and the update included. */
  readonly push: number;
}

/** A lease that has been computed, on the coordinator's clock. */
export interface LeaseTimes {
  /** When its worker reported that it held the weights. */
  readonly heldMs: number;
  readonly computeMs: number;
  /** When the worker reported that it was computed. */
  readonly computedMs: number;
}

/**
 * @param last the lease of the step that was computed last; undefined if the step was committed before that was heard of
 * @returns phases that add up to the step, unless the worker computed for longer than there was time: none is negative
 */
export function phasesOf(openedMs: number, last: LeaseTimes | undefined, committedMs: number): StepPhases {
  const step = committedMs - openedMs;
  if (last === undefined) return { step, pull: 0, wait: 0, compute: 0, push: step };
  const { heldMs, computeMs, computedMs } = last;
  // A worker may have held them before: after an evaluation, or where nothing has changed.
  const pull = Math.max(0, Math.min(heldMs, computedMs - computeMs) - openedMs);
  const wait = Math.max(0, computedMs - openedMs - pull - computeMs);
  return { step, pull, wait, compute: computeMs, push: committedMs - computedMs };
}
