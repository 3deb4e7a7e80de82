import { atBoundary, checkpointed, committed, covered, evaluated, superseded } from "./boundary.js";
import { endIfEverybodyFails } from "./failures.js";
import { assign, countFailure, leaseFailed, release } from "./leasing.js";
import type { CoordinatorEffect, CoordinatorEvent } from "./messages.js";
import { gather, leaveStrandedStep, restored, restoreFailed, termSaved } from "./recovery.js";
import {
  type CoordinatorCoreOptions,
  type CoordinatorRun,
  type CoordinatorState,
  createRun,
  emit,
  end,
  note,
} from "./run.js";
import { createWorkerState, loseWeights, smooth, type WorkerRecord } from "./workers.js";

/**
 * The coordinator's decisions, without any I/O, clock or randomness: `handle(event, nowMs)` returns effects, and the
 * shell performs them in order. docs/internals/state-machines.md has every transition; `recovery.ts` starts a term,
 * `boundary.ts` leads from step to step, and `leasing.ts` decides which worker computes what.
 */
export interface CoordinatorCore {
  handle(event: CoordinatorEvent, nowMs: number): CoordinatorEffect[];
  /** For status and tests. */
  readonly state: Readonly<CoordinatorState>;
}

/** The silence after which a worker's leases are given to others: three heartbeats. */
const SILENT_MS = 3_000;

export function createCoordinatorCore(options: CoordinatorCoreOptions): CoordinatorCore {
  const run = createRun(options);
  return {
    state: run.state,
    handle(event, nowMs) {
      run.effects = [];
      run.nowMs = nowMs;
      if (run.state.phase === "ended" && event.kind !== "workerLost") return [];
      dispatch(run, event);
      return run.effects;
    },
  };
}

function dispatch(run: CoordinatorRun, event: CoordinatorEvent): void {
  switch (event.kind) {
    case "shardAttached":
      run.state.shards[event.shard].attached = true;
      run.state.shards[event.shard].checkpoints = new Set(event.checkpoints);
      return gather(run);
    case "shardLost":
      run.state.shards[event.shard].attached = false;
      if (run.state.phase !== "ended") note(run, "warn", `shard ${event.shard} is lost: ${event.reason}`);
      return gather(run);
    case "termSaved":
      return termSaved(run, event.term);
    case "kappaSaved":
      run.kappaSaved = Math.max(run.kappaSaved, event.facts);
      if (run.state.phase === "boundary") atBoundary(run);
      return;
    case "restored":
      return restored(run, event.shard, event.term, event.mark);
    case "restoreFailed":
      return restoreFailed(run, event.shard, event.term, event.step, event.reason);
    case "covered":
      return covered(run, event.shard, event.term, event.step, event.lo, event.hi);
    case "superseded":
      return superseded(run, event.term, event.step);
    case "committed":
      return committed(run, event.shard, event.term, event.step, event.scalars);
    case "checkpointed":
      return checkpointed(run, event.shard, event.step, event.error);
    case "workerAttached":
      return workerAttached(run, event.worker, event.machine);
    case "workerLost":
      return workerLost(run, event.worker);
    case "heartbeat":
      seen(run, event.worker);
      return proceed(run);
    case "weightsHeld": {
      const worker = seen(run, event.worker);
      if (worker === undefined || event.term !== run.state.term) return;
      const isNews = !worker.ready || run.superseded;
      worker.ready = true;
      worker.proven = true;
      if (event.version > worker.version) worker.heldMs = run.nowMs;
      worker.version = Math.max(worker.version, event.version);
      return isNews ? proceed(run) : undefined;
    }
    case "weightsLost": {
      const worker = seen(run, event.worker);
      if (worker !== undefined) loseWeights(worker);
      return;
    }
    case "leaseComputed": {
      const worker = seen(run, event.worker);
      if (worker === undefined) return;
      worker.running.delete(event.lease);
      const lease = run.state.board?.leases.get(event.lease);
      if (lease !== undefined && run.state.phase === "stepping") {
        worker.itemMs.step = smooth(worker.itemMs.step, event.computeMs / (lease.hi - lease.lo));
        run.lastComputed = { heldMs: worker.heldMs, computeMs: event.computeMs, computedMs: run.nowMs };
      }
      return assign(run);
    }
    case "leaseFailed":
      seen(run, event.worker);
      return leaseFailed(run, event);
    case "evaluated":
      seen(run, event.worker);
      return evaluated(run, event);
    case "evaluationFailed": {
      const worker = seen(run, event.worker);
      if (worker === undefined || run.state.phase !== "evaluating" || event.version !== run.state.mark.step) return;
      for (const lease of worker.running) release(run, worker, lease);
      countFailure(run, worker, event.reason, event.transient);
      return assign(run);
    }
    case "workerFailed":
      return workerFailed(run, event);
    case "workerLeaving": {
      const worker = seen(run, event.worker);
      if (worker !== undefined) worker.draining = true;
      return;
    }
    case "stop":
      run.stopping = true;
      if (run.state.phase === "gathering" || run.state.phase === "restoring") {
        return end(run, { ok: true, reason: "stopped", mark: run.state.mark });
      }
      if (run.state.phase === "evaluating" || run.state.phase === "boundary") atBoundary(run);
      return endIfDeserted(run);
    case "checkpointNow":
      run.checkpointAsked = true;
      return;
    case "tick":
      return tick(run);
  }
}

function workerAttached(run: CoordinatorRun, name: string, machine = name): void {
  run.state.workers.set(name, createWorkerState(name, machine, run.nowMs));
  if (run.state.phase === "gathering" || run.savedTerm !== run.state.term) return;
  const version = run.state.phase === "restoring" ? run.target : run.state.mark.step;
  emit(run, { kind: "termOpened", worker: name, term: run.state.term, version });
}

function workerLost(run: CoordinatorRun, name: string): void {
  run.state.workers.delete(name);
  if (run.state.phase === "ended" || endIfEverybodyFails(run)) return;
  const { board } = run.state;
  if (board === undefined) return;
  for (const lease of board.leases.values()) if (lease.worker === name) board.leases.delete(lease.lease);
  assign(run);
  endIfDeserted(run);
}

/** The worker has reported why it leaves; its stream ends next. */
function workerFailed(run: CoordinatorRun, event: Extract<CoordinatorEvent, { kind: "workerFailed" }>): void {
  const worker = seen(run, event.worker);
  if (worker === undefined) return;
  worker.draining = true;
  for (const lease of worker.running) release(run, worker, lease);
  countFailure(run, worker, event.reason, event.transient);
  assign(run);
}

/** Ends a run that is to stop when nobody is left to finish the open step: its result is the newest checkpoint. */
function endIfDeserted(run: CoordinatorRun): void {
  const { phase, workers, mark } = run.state;
  if (run.stopping && phase === "stepping" && workers.size === 0) end(run, { ok: true, reason: "stopped", mark });
}

function seen(run: CoordinatorRun, name: string): WorkerRecord | undefined {
  const worker = run.state.workers.get(name);
  if (worker === undefined) return undefined;
  worker.lastSeenMs = run.nowMs;
  if (worker.silent) {
    worker.silent = false;
    note(run, "info", `worker ${name} is back`);
  }
  return worker;
}

function tick(run: CoordinatorRun): void {
  for (const worker of run.state.workers.values()) {
    if (worker.silent || run.nowMs - worker.lastSeenMs <= SILENT_MS) continue;
    worker.silent = true;
    note(run, "warn", `worker ${worker.worker} has been silent for ${SILENT_MS / 1000} s: its leases go to others`);
  }
  leaveStrandedStep(run);
  proceed(run);
}

/** Leases the open stage's items to workers, or leaves a boundary that was waiting for workers. */
function proceed(run: CoordinatorRun): void {
  if (run.state.phase === "boundary" && run.undecided) atBoundary(run);
  else assign(run);
}
