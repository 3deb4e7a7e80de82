/**
 * The work that a worker has been given and has not started. A lease is computed with exactly the weights that it
 * names: it waits until they have arrived, and is void once newer ones have, because then its step was committed, or
 * rolled back, without it. Void work is dropped without a report: the coordinator that gave it knows.
 */
import { IsobatchError } from "../../shared/errors.js";
import type { EvaluationLease, StepLease, WeightsVersion, Work } from "./messages.js";
import { emit, end, type Worker } from "./state.js";
import { isSameVersion } from "./versions.js";

/** More leases than a worker is ever given at once. */
const WORK_MAX = 1_024;

/** The weights that the work has to be computed with. */
export function weightsOf(work: Work): WeightsVersion {
  const { lease, kind } = work;
  return { term: lease.term, version: kind === "step" ? lease.step : lease.version };
}

/** Whether `weights` are newer than those that the work names: then its result is no longer needed. */
export function isVoid(work: Work, weights: WeightsVersion): boolean {
  const wanted = weightsOf(work);
  return wanted.term < weights.term || (wanted.term === weights.term && wanted.version < weights.version);
}

export function addLease(worker: Worker, lease: StepLease): void {
  const first = lease.firstMicroBatch;
  const fetch = { batches: "microBatch", first: first + lease.lo, end: first + lease.hi } as const;
  add(worker, { id: worker.nextWork++, kind: "step", lease }, fetch);
}

export function addEvaluation(worker: Worker, lease: EvaluationLease): void {
  const fetch = { batches: "evaluation", first: lease.firstBatch, end: lease.endBatch } as const;
  add(worker, { id: worker.nextWork++, kind: "evaluation", lease }, fetch);
}

function add(
  worker: Worker,
  work: Work,
  fetch: { readonly batches: "microBatch" | "evaluation"; readonly first: number; readonly end: number },
): void {
  const { state } = worker;
  if (state.phase !== "attached" || isVoid(work, state.newest)) return;
  if (state.queue.length >= WORK_MAX) {
    const error = new IsobatchError(
      "damaged",
      `The server gives this worker more than ${WORK_MAX} leases at once; the worker ends.`,
    );
    return end(worker, { error });
  }
  emit(worker, { kind: "prefetch", ...fetch });
  state.queue.push(work);
  begin(worker);
  if (work.kind === "step" && state.queue[0] === work) emit(worker, { kind: "prepare", work });
}

/**
 * Starts computing the first work that is for exactly the weights held, and drops void work. Weights that are being
 * loaded count as held: the threads do one thing at a time, and if they can't load the weights, they compute nothing.
 */
export function begin(worker: Worker): void {
  const { state } = worker;
  const weights = state.held ?? state.loading;
  if (state.phase !== "attached" || state.computing !== undefined || weights === undefined) return;
  state.queue = state.queue.filter((work) => !isVoid(work, weights));
  const index = state.queue.findIndex((work) => isSameVersion(weightsOf(work), weights));
  if (index === -1) return;
  const [work] = state.queue.splice(index, 1);
  state.computing = { work, abandoned: false };
  emit(worker, { kind: "compute", work });
}
