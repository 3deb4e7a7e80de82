/**
 * Pushes computed leases to the shards: each shard gets its own chunks of them, all shards at the same time. A lease
 * holds its slots until nothing is read from them any more: until all shards have answered and, if a shard reads the
 * slots in place, until it is past the lease's step. Slots are lent only while as many are left as a lease takes, so
 * that computing does not wait for a step that waits for it. Slots whose push was unanswered when its session ended
 * count as lent, too.
 */
import { backoffMs } from "./backoff.js";
import type { StepWork, WorkerEvent } from "./messages.js";
import { isVoid } from "./queue.js";
import { emit, type LeasePush, leaveIfDone, note, report, type Worker } from "./state.js";

/** How often a push is repeated: one connection that breaks is not a failure of the lease, many in a row are. */
const ATTEMPTS_MAX = 5;

/** The fields by which log lines about a lease are found. */
export function fieldsOf({ lease }: StepWork): { readonly lease: number; readonly step: number } {
  return { lease: lease.lease, step: lease.step };
}

export function push(worker: Worker, work: StepWork, slots: readonly number[]): void {
  const { shards, slots: allotted } = worker.attachment!;
  const lend = allotted.total - slotsInUse(worker) - slots.length >= allotted.perLease;
  const failures = new Map(shards.map((_, shard) => [shard, 0]));
  worker.state.pushes.set(work.id, {
    work,
    slots,
    lend,
    failures,
    startedAtMs: worker.nowMs,
    lentTo: new Set(),
    cancelled: false,
    failure: undefined,
  });
  for (const shard of failures.keys()) emit(worker, { kind: "push", work, shard, afterMs: 0, lend });
}

function slotsInUse({ state: { pushes, loans } }: Worker): number {
  return [...pushes.values(), ...loans].reduce((sum, { slots }) => sum + slots.length, 0);
}

/** The results of older terms' leases are not needed. */
export function cancelOlderPushes(worker: Worker, term: number): void {
  for (const each of worker.state.pushes.values()) if (each.work.lease.term < term) cancel(worker, each);
}

export function cancelAllPushes(worker: Worker): void {
  for (const each of worker.state.pushes.values()) cancel(worker, each);
}

function cancel(worker: Worker, each: LeasePush): void {
  if (each.cancelled) return;
  each.cancelled = true;
  emit(worker, { kind: "cancelPush", work: each.work.id });
}

export function pushed(worker: Worker, event: Extract<WorkerEvent, { kind: "pushed" }>): void {
  const answered = worker.state.pushes.get(event.work);
  if (answered?.failures.delete(event.shard) !== true) return;
  if (event.lent) answered.lentTo.add(event.shard);
  settleIfAnswered(worker, answered);
}

export function pushFailed(worker: Worker, event: Extract<WorkerEvent, { kind: "pushFailed" }>): void {
  const { shard, broken, failure } = event;
  const failed = worker.state.pushes.get(event.work);
  const failures = failed?.failures.get(shard);
  if (failed === undefined || failures === undefined) return;
  if (event.lent) failed.lentTo.add(shard);
  const { work, lend } = failed;
  const wanted = !failed.cancelled && !isVoid(work, worker.state.newest);
  if (broken && wanted && failures + 1 < ATTEMPTS_MAX) {
    failed.failures.set(shard, failures + 1);
    return emit(worker, { kind: "push", work, shard, afterMs: backoffMs(failures + 1), lend });
  }
  failed.failures.delete(shard);
  failed.failure ??= failure;
  settleIfAnswered(worker, failed);
}

function settleIfAnswered(worker: Worker, answered: LeasePush): void {
  if (answered.failures.size > 0) return;
  const { work, slots, failure, lentTo } = answered;
  const { state } = worker;
  state.pushes.delete(work.id);
  if (failure === undefined) {
    const pushMs = worker.nowMs - answered.startedAtMs;
    note(worker, "debug", "lease pushed", { ...fieldsOf(work), pushMs });
  } else if (!answered.cancelled && !isVoid(work, state.newest)) leaseFailed(worker, work, failure);
  state.loans.add({ work, slots, shards: lentTo });
  returnLoans(worker);
  leaveIfDone(worker);
}

/** Reports that a lease has failed; `nonFinite`: the micro-batch whose result was NaN or infinite, if that is why. */
export function leaseFailed(
  worker: Worker,
  work: StepWork,
  failure: { readonly reason: string; readonly transient: boolean },
  { nonFinite, cause }: { readonly nonFinite?: number; readonly cause?: unknown } = {},
): void {
  const { lease, step, firstMicroBatch, lo } = work.lease;
  note(worker, "warn", `lease ${lease} of step ${step} failed: ${failure.reason}`, fieldsOf(work), cause);
  const microBatch = nonFinite ?? firstMicroBatch + lo;
  report(worker, { kind: "leaseFailed", lease, microBatch, nonFinite: nonFinite !== undefined, ...failure });
}

/** Releases the slots of steps that their readers, the shards, are past. */
export function returnLoans(worker: Worker): void {
  for (const loan of worker.state.loans) {
    const { work, shards } = loan;
    const { term, step } = work.lease;
    for (const shard of shards) if (worker.versions?.isPast(shard, term, step)) shards.delete(shard);
    if (shards.size > 0) continue;
    worker.state.loans.delete(loan);
    emit(worker, { kind: "releaseSlots", work: work.id, slots: loan.slots });
  }
}
