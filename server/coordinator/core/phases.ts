/**
 * Where a step's time went, along the lease that was computed last: weights, waiting, computing, pushing. These follow
 * one another, so they add up to the step.
 */
export interface StepPhases {
  /** From the plan to the last shard's commit. */
  readonly step: number;
  /** From the plan until the worker held the weights, or started to compute before it reported that. */
  readonly pull: number;
  /**
   * After that, all time that was not computing: until the worker had the lease, samples and threads, and until its
   * report arrived.
   */
  readonly wait: number;
  readonly compute: number;
  /** From the report until the commit, including merging and the update. */
  readonly push: number;
}

/** The times of a computed lease, on the coordinator's clock. */
export interface LeaseTimes {
  /** When its worker reported that it held the weights. */
  readonly heldMs: number;
  readonly computeMs: number;
  /** When the worker reported the lease as computed. */
  readonly computedMs: number;
}

/**
 * @param last the lease of the step that was computed last; undefined if the step was committed before a lease was
 * reported
 * @returns phases that add up to the step, unless the worker computed for longer than there was time: none is negative
 */
export function phasesOf(openedMs: number, last: LeaseTimes | undefined, committedMs: number): StepPhases {
  const step = committedMs - openedMs;
  if (last === undefined) return { step, pull: 0, wait: 0, compute: 0, push: step };
  const { heldMs, computeMs, computedMs } = last;
  // A worker may have held the weights earlier: after an evaluation, or if nothing has changed.
  const pull = Math.max(0, Math.min(heldMs, computedMs - computeMs) - openedMs);
  const wait = Math.max(0, computedMs - openedMs - pull - computeMs);
  return { step, pull, wait, compute: computeMs, push: committedMs - computedMs };
}
