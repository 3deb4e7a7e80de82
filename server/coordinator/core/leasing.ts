import { isLeaseDone, openItems, shareItems } from "./board.js";
import { countShared } from "./failures.js";
import type { CoordinatorEvent, GrantedLease } from "./messages.js";
import { type CoordinatorRun, emit, end, note } from "./run.js";
import { candidateOf, isIdle, type StageKind, smooth, type WorkerRecord } from "./workers.js";

/** Which worker computes which part of the open stage, and how a lease ends. */

/** A lease is overdue after this many times its usual duration, and never before the minimum. */
const OVERDUE_FACTOR = 4;
const OVERDUE_MS_MIN = 2_000;
/** For the first lease of a worker that has not been timed yet. */
const OVERDUE_MS_UNKNOWN = 30_000;
/** How often a micro-batch whose result is not finite is computed in all. */
const ATTEMPTS_MAX = 2;
/** A worker that fails this often in a row gets no more leases. */
const FAILURES_MAX = 5;

const stageKind = (run: CoordinatorRun): StageKind => (run.state.phase === "evaluating" ? "evaluation" : "step");

/** Whether the awaited number of workers is ready, or the time to wait for them is over. */
export function enoughWorkers(run: CoordinatorRun): boolean {
  if (run.started) return true;
  const ready = [...run.state.workers.values()].filter((worker) => worker.ready).length;
  if (ready > 0 && Number.isNaN(run.firstReadyMs)) run.firstReadyMs = run.nowMs;
  run.started = ready >= run.options.workersAwaited || run.nowMs - run.firstReadyMs >= run.options.awaitMs;
  return run.started;
}

/**
 * Whether the worker has the open stage's weights, or can still get them. A worker may hold the next version, having
 * received the step's result before the shards' reports have arrived here; no worker is further ahead.
 */
export function canCompute({ superseded, state: { phase, mark } }: CoordinatorRun, worker: WorkerRecord): boolean {
  if (phase !== "stepping" || !superseded) return true;
  return worker.version === mark.step || worker.version === mark.step + 1;
}

export function assign(run: CoordinatorRun): void {
  const { board, plan } = run.state;
  if (board === undefined || !enoughWorkers(run)) return;
  const stage = stageKind(run);
  const able = [...run.state.workers.values()].filter((worker) => canCompute(run, worker));
  let idle = able.filter(isIdle);
  const others = able.filter((worker) => worker.ready && !worker.draining && !worker.silent);
  if (others.some((worker) => !board.demoted.has(worker.worker))) {
    idle = idle.filter((worker) => !board.demoted.has(worker.worker));
  }
  if (idle.length === 0) return;
  const runs = openItems(board, (lease) => {
    const worker = run.state.workers.get(lease.worker);
    return worker !== undefined && !worker.silent && run.nowMs < lease.overdueAtMs;
  });
  for (const { worker: name, lo, hi } of shareItems(
    runs,
    idle.map((worker) => candidateOf(worker, stage)),
  )) {
    const worker = run.state.workers.get(name)!;
    const usualMs = worker.turnaroundMs[stage];
    const allowedMs =
      usualMs === undefined ? OVERDUE_MS_UNKNOWN : Math.max(OVERDUE_MS_MIN, OVERDUE_FACTOR * usualMs * (hi - lo));
    const lease: GrantedLease = {
      lease: run.nextLease++,
      worker: name,
      lo,
      hi,
      grantedAtMs: run.nowMs,
      overdueAtMs: run.nowMs + allowedMs,
    };
    board.leases.set(lease.lease, lease);
    worker.running.add(lease.lease);
    worker.given += hi - lo;
    if (stage === "step") emit(run, { kind: "lease", lease, plan: plan! });
    else emit(run, { kind: "evaluate", lease, term: run.state.term, version: run.state.mark.step });
  }
}

/** Closes the leases whose items are all done, regardless of who did them. */
export function closeDoneLeases(run: CoordinatorRun): void {
  const { board } = run.state;
  if (board === undefined) return;
  for (const lease of board.leases.values()) {
    if (!isLeaseDone(board, lease)) continue;
    board.leases.delete(lease.lease);
    const worker = run.state.workers.get(lease.worker);
    if (worker === undefined) continue;
    worker.running.delete(lease.lease);
    worker.failuresInARow = 0;
    const stage = stageKind(run);
    const measuredMs = (run.nowMs - lease.grantedAtMs) / (lease.hi - lease.lo);
    worker.turnaroundMs[stage] = smooth(worker.turnaroundMs[stage], measuredMs);
  }
}

export function release(run: CoordinatorRun, worker: WorkerRecord, leaseId: number): GrantedLease | undefined {
  worker.running.delete(leaseId);
  const lease = run.state.board?.leases.get(leaseId);
  if (lease?.worker !== worker.worker) return undefined;
  run.state.board?.leases.delete(leaseId);
  return lease;
}

/** @param transient whether a connection caused it: that must not end the run */
export function countFailure(run: CoordinatorRun, worker: WorkerRecord, message: string, transient = false): void {
  const reason = message.replace(/\.$/, "");
  worker.failuresInARow++;
  note(run, "warn", `worker ${worker.worker} failed: ${reason}`);
  if (!transient && countShared(run, worker, reason)) return;
  if (worker.failuresInARow < FAILURES_MAX || worker.draining) return;
  worker.draining = true;
  note(run, "warn", `worker ${worker.worker} gets no more leases after ${FAILURES_MAX} failures in a row`);
  emit(run, { kind: "drain", worker: worker.worker, reason: `it failed ${FAILURES_MAX} times in a row: ${reason}.` });
}

/** Whether the open step's lease covers the micro-batch. */
function isOf({ state: { plan } }: CoordinatorRun, { lo, hi }: GrantedLease, microBatch: number): boolean {
  if (plan === undefined) return false;
  return microBatch >= plan.firstMicroBatch + lo && microBatch < plan.firstMicroBatch + hi;
}

export function leaseFailed(run: CoordinatorRun, event: Extract<CoordinatorEvent, { kind: "leaseFailed" }>): void {
  const worker = run.state.workers.get(event.worker);
  if (worker === undefined) return;
  const lease = release(run, worker, event.lease);
  if (lease === undefined) return;
  const reason = event.reason.replace(/\.$/, "");
  if (event.nonFinite && event.microBatch !== undefined && isOf(run, lease, event.microBatch)) {
    const times = (run.nonFinite.get(event.microBatch) ?? 0) + 1;
    run.nonFinite.set(event.microBatch, times);
    run.state.board?.demoted.add(event.worker);
    if (times >= ATTEMPTS_MAX) {
      const { microBatch } = event;
      return end(run, { ok: false, code: "diverged", reason: `${reason}, ${times} times`, microBatch });
    }
    note(run, "warn", `micro-batch ${event.microBatch} on worker ${event.worker}: ${reason}; it is computed again`);
  } else {
    countFailure(run, worker, reason, event.transient);
  }
  assign(run);
}
