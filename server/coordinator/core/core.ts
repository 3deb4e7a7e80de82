import type { CheckpointMark, StepCoefficients, StepPlan } from "../../../shared/steps/index.js";
import { type Board, createBoard, isComplete, isLeaseDone, markDone, openItems, shareItems } from "./board.js";
import type { CoordinatorEffect, CoordinatorEvent, Lease, Outcome, ShardScalars } from "./messages.js";
import { candidateOf, createWorkerState, isIdle, type StageKind, smooth, type WorkerState } from "./workers.js";

/**
 * The coordinator's decisions, without any I/O, clock or randomness: `handle(event, nowMs)` returns effects, and the
 * shell performs them in order. ARCHITECTURE.md has the transition table that this file is.
 *
 * Between two steps lies a *boundary*, where the slices of all shards are of one version s. There, in this order:
 * the checkpoint of s is ordered if it is due, s is evaluated if that is due, and only then is step s opened. The
 * evaluation is waited for because version s exists nowhere once step s has committed, so that an evaluation whose
 * worker is lost could not be given to another one.
 *
 * There is one way to begin: every shard attached → the newest checkpoint they have in common → a new epoch. A
 * first start, a resumed run, a lost shard and a damaged checkpoint all go through it.
 */
export interface CoordinatorCore {
  handle(event: CoordinatorEvent, nowMs: number): CoordinatorEffect[];
  /** For status and tests. */
  readonly state: Readonly<CoordinatorState>;
}

export interface CoordinatorOptions {
  readonly shards: number;
  /** The last epoch that was made durable; 0 for a new run. */
  readonly epoch: number;
  /** κ. */
  readonly microBatchesPerStep: number;
  /** Length of the run; the last step may have fewer than κ. */
  readonly microBatchesTotal: number;
  /** Intervals in micro-batches, taken at the first boundary reached. Infinity: never. */
  readonly checkpointEvery: number;
  readonly evaluateEvery: number;
  /** 0: there is nothing to evaluate on. */
  readonly evaluationBatches: number;
  readonly checkpointsKept: number;
  /** The first step waits for so many workers, but no longer than `awaitMs` from the first that is ready. */
  readonly workersAwaited: number;
  readonly awaitMs: number;
  /** Pure: the step's arithmetic at c1, c2. */
  coefficients(step: { firstMicroBatch: number; microBatches: number; c1: number; c2: number }): StepCoefficients;
  leafWeights?(microBatches: number): { w1: Float32Array; w2: Float32Array } | undefined;
}

export type Phase =
  /** Some shard is missing. */
  | "gathering"
  /** All are there; the epoch is being saved, then the checkpoint loaded. */
  | "restoring"
  /** At a boundary, with something to wait for. */
  | "boundary"
  | "evaluating"
  | "stepping"
  | "ended";

export interface CoordinatorState {
  phase: Phase;
  epoch: number;
  /** The boundary the run stands at, or the one its open step began at. */
  mark: CheckpointMark;
  plan: StepPlan | undefined;
  planCoefficients: StepCoefficients | undefined;
  board: Board | undefined;
  readonly workers: Map<string, WorkerState>;
  readonly shards: ShardState[];
  outcome: Outcome | undefined;
}

export interface ShardState {
  attached: boolean;
  /** Steps it has a whole checkpoint of. */
  checkpoints: Set<number>;
  restored: CheckpointMark | undefined;
  /** Of the open step. */
  covered: Uint8Array;
  committed: ShardScalars | undefined;
}

/** Silence after which a worker's leases are given to others; three heartbeats. */
export const SILENT_MS = 3_000;
/** A lease is overdue after so many times its usual duration, and never before the minimum. */
const OVERDUE_FACTOR = 4;
const OVERDUE_MS_MIN = 2_000;
/** For the first lease of a worker nobody has timed yet. */
const OVERDUE_MS_UNKNOWN = 30_000;
/** A micro-batch that comes out non-finite is computed so many times in all. */
const ATTEMPTS_MAX = 2;
/** A worker that fails so often without a success in between gets no more leases. */
const FAILURES_MAX = 5;

export function createCoordinatorCore(options: CoordinatorOptions): CoordinatorCore {
  const state: CoordinatorState = {
    phase: "gathering",
    epoch: options.epoch,
    mark: { step: 0, microBatches: 0, c1: 0, c2: 0 },
    plan: undefined,
    planCoefficients: undefined,
    board: undefined,
    workers: new Map(),
    shards: Array.from({ length: options.shards }, () => ({
      attached: false,
      checkpoints: new Set<number>(),
      restored: undefined,
      covered: new Uint8Array(0),
      committed: undefined,
    })),
    outcome: undefined,
  };
  let effects: CoordinatorEffect[] = [];
  let nowMs = 0;
  let nextLease = 1;
  let target = -1; // the checkpoint being restored
  let savedEpoch = -1; // no worker may hear of an epoch before it is durable
  let furthestStep = -1; // since this process began: what lies between it and a restored step is recomputed
  let evaluatedStep = -1;
  let orderedStep = -1; // the newest checkpoint ordered in this epoch
  let writing: { step: number; waitingFor: Set<number> } | undefined;
  let stopping = false;
  let checkpointAsked = false;
  let begun = false; // the wait for the first workers is over
  let firstReadyMs = Number.NaN;
  let stepOpenedMs = 0;
  let computeMs = 0;
  let evaluations: ({ lossSum: number; correct: number } | undefined)[] = [];
  const nonFinite = new Map<number, number>();

  const emit = (effect: CoordinatorEffect): void => void effects.push(effect);
  const note = (level: "info" | "warn", message: string): void => emit({ kind: "note", level, message });

  // ---- Recovery -------------------------------------------------------------------------------------------

  function gather(): void {
    if (state.phase === "ended") return;
    state.phase = "gathering";
    state.board = undefined;
    state.plan = undefined;
    writing = undefined;
    if (state.shards.some((shard) => !shard.attached)) return;
    const common = [...state.shards[0].checkpoints].filter((step) =>
      state.shards.every((shard) => shard.checkpoints.has(step)),
    );
    if (common.length === 0) {
      const reason =
        "no checkpoint is valid on every shard: restore one from a backup, or start anew in another folder";
      return end({ ok: false, code: "damaged", reason });
    }
    target = Math.max(...common);
    state.phase = "restoring";
    state.epoch++;
    for (const shard of state.shards) shard.restored = undefined;
    for (const worker of state.workers.values()) {
      worker.ready = false;
      worker.running.clear();
    }
    emit({ kind: "saveEpoch", epoch: state.epoch });
  }

  function epochSaved(epoch: number): void {
    if (state.phase !== "restoring" || epoch !== state.epoch) return;
    savedEpoch = epoch;
    for (const shard of state.shards.keys()) emit({ kind: "restore", shard, epoch, step: target });
    for (const worker of state.workers.keys()) emit({ kind: "epochOpened", worker, epoch, version: target });
  }

  function restored(shard: number, epoch: number, mark: CheckpointMark): void {
    if (state.phase !== "restoring" || epoch !== state.epoch || mark.step !== target) return;
    state.shards[shard].restored = mark;
    if (state.shards.some((other) => other.restored === undefined)) return;
    state.mark = mark;
    evaluatedStep = -1;
    orderedStep = mark.step;
    checkpointAsked = false;
    nonFinite.clear();
    emit({ kind: "rolledBack", epoch, mark, recomputed: Math.max(0, furthestStep - mark.step) });
    atBoundary();
  }

  function restoreFailed(shard: number, epoch: number, step: number, reason: string): void {
    if (state.phase !== "restoring" || epoch !== state.epoch) return;
    note("warn", `checkpoint ${step} is not used: ${reason}`);
    state.shards[shard].checkpoints.delete(step);
    gather();
  }

  // ---- Boundaries -----------------------------------------------------------------------------------------

  /** Whether a multiple of `every` lies in (n − κ, n]: the first boundary at or after it. */
  function isDue(every: number): boolean {
    const n = state.mark.microBatches;
    const before = n - Math.min(n, options.microBatchesPerStep);
    return Math.floor(n / every) > Math.floor(before / every);
  }

  function atBoundary(): void {
    state.phase = "boundary";
    state.board = undefined;
    state.plan = undefined;
    const { step, microBatches } = state.mark;
    const complete = microBatches >= options.microBatchesTotal;
    const last = complete || stopping;

    if (orderedStep !== step && (isDue(options.checkpointEvery) || last || checkpointAsked)) {
      // One at a time: the copy of a second one would have to be held in memory as well.
      if (writing !== undefined) return;
      orderedStep = step;
      checkpointAsked = false;
      writing = { step, waitingFor: new Set(state.shards.keys()) };
      for (const shard of state.shards.keys()) {
        emit({ kind: "checkpoint", shard, epoch: state.epoch, mark: state.mark });
      }
    }
    const evaluationDue = microBatches === 0 || complete || isDue(options.evaluateEvery);
    if (evaluationDue && !(stopping && !complete) && options.evaluationBatches > 0 && evaluatedStep !== step) {
      state.phase = "evaluating";
      state.board = createBoard(options.evaluationBatches);
      evaluations = new Array(options.evaluationBatches).fill(undefined);
      return assign();
    }
    if (last) {
      if (writing === undefined) end({ ok: true, reason: complete ? "complete" : "stopped", mark: state.mark });
      return;
    }
    openStep();
  }

  function openStep(): void {
    const { step, microBatches: firstMicroBatch, c1, c2 } = state.mark;
    const microBatches = Math.min(options.microBatchesPerStep, options.microBatchesTotal - firstMicroBatch);
    const coefficients = options.coefficients({ firstMicroBatch, microBatches, c1, c2 });
    const weights = options.leafWeights?.(microBatches);
    const plan: StepPlan = {
      epoch: state.epoch,
      step,
      firstMicroBatch,
      microBatches,
      coefficients,
      leafWeights1: weights?.w1,
      leafWeights2: weights?.w2,
    };
    state.phase = "stepping";
    state.plan = plan;
    state.planCoefficients = coefficients;
    state.board = createBoard(microBatches);
    stepOpenedMs = nowMs;
    computeMs = 0;
    for (const [index, shard] of state.shards.entries()) {
      shard.covered = new Uint8Array(microBatches);
      shard.committed = undefined;
      emit({ kind: "plan", shard: index, plan });
    }
    assign();
  }

  // ---- Leases ---------------------------------------------------------------------------------------------

  const stageKind = (): StageKind => (state.phase === "evaluating" ? "evaluation" : "step");

  function enoughWorkers(): boolean {
    if (begun) return true;
    const ready = [...state.workers.values()].filter((worker) => worker.ready).length;
    if (ready > 0 && Number.isNaN(firstReadyMs)) firstReadyMs = nowMs;
    begun = ready >= options.workersAwaited || nowMs - firstReadyMs >= options.awaitMs;
    return begun;
  }

  function assign(): void {
    const { board, plan } = state;
    if (board === undefined || !enoughWorkers()) return;
    const stage = stageKind();
    let idle = [...state.workers.values()].filter(isIdle);
    const others = [...state.workers.values()].filter((worker) => worker.ready && !worker.draining && !worker.silent);
    if (others.some((worker) => !board.sittingOut.has(worker.worker))) {
      idle = idle.filter((worker) => !board.sittingOut.has(worker.worker));
    }
    if (idle.length === 0) return;
    const runs = openItems(board, (lease) => {
      const worker = state.workers.get(lease.worker);
      return worker !== undefined && !worker.silent && nowMs < lease.overdueAtMs;
    });
    for (const { worker: name, lo, hi } of shareItems(
      runs,
      idle.map((worker) => candidateOf(worker, stage)),
    )) {
      const worker = state.workers.get(name)!;
      const usualMs = worker.turnaroundMs[stage];
      const allowedMs =
        usualMs === undefined ? OVERDUE_MS_UNKNOWN : Math.max(OVERDUE_MS_MIN, OVERDUE_FACTOR * usualMs * (hi - lo));
      const lease: Lease = {
        lease: nextLease++,
        worker: name,
        lo,
        hi,
        grantedAtMs: nowMs,
        overdueAtMs: nowMs + allowedMs,
      };
      board.leases.set(lease.lease, lease);
      worker.running.add(lease.lease);
      worker.given += hi - lo;
      if (stage === "step") emit({ kind: "lease", lease, plan: plan! });
      else emit({ kind: "evaluate", lease, epoch: state.epoch, version: state.mark.step });
    }
  }

  /** Leases whose items are all done are over, whoever did them. */
  function closeDoneLeases(): void {
    const { board } = state;
    if (board === undefined) return;
    for (const lease of board.leases.values()) {
      if (!isLeaseDone(board, lease)) continue;
      board.leases.delete(lease.lease);
      const worker = state.workers.get(lease.worker);
      if (worker === undefined) continue;
      worker.running.delete(lease.lease);
      worker.failuresInARow = 0;
      const stage = stageKind();
      const measuredMs = (nowMs - lease.grantedAtMs) / (lease.hi - lease.lo);
      worker.turnaroundMs[stage] = smooth(worker.turnaroundMs[stage], measuredMs);
    }
  }

  function release(worker: WorkerState, leaseId: number): Lease | undefined {
    worker.running.delete(leaseId);
    const lease = state.board?.leases.get(leaseId);
    if (lease?.worker !== worker.worker) return undefined;
    state.board?.leases.delete(leaseId);
    return lease;
  }

  function countFailure(worker: WorkerState, reason: string): void {
    worker.failuresInARow++;
    note("warn", `worker ${worker.worker} failed: ${reason}`);
    if (worker.failuresInARow < FAILURES_MAX || worker.draining) return;
    worker.draining = true;
    note("warn", `worker ${worker.worker} gets no more leases after ${FAILURES_MAX} failures in a row`);
    emit({ kind: "drain", worker: worker.worker });
  }

  function leaseFailed(event: Extract<CoordinatorEvent, { kind: "leaseFailed" }>): void {
    const worker = state.workers.get(event.worker);
    if (worker === undefined) return;
    const lease = release(worker, event.lease);
    if (lease === undefined) return;
    if (event.nonFinite && event.microBatch !== undefined) {
      const times = (nonFinite.get(event.microBatch) ?? 0) + 1;
      nonFinite.set(event.microBatch, times);
      state.board?.sittingOut.add(event.worker);
      if (times >= ATTEMPTS_MAX) {
        const { microBatch, reason } = event;
        return end({ ok: false, code: "diverged", reason: `${reason}, ${times} times`, microBatch });
      }
      note("warn", `micro-batch ${event.microBatch} on worker ${event.worker}: ${event.reason}; it is computed again`);
    } else {
      countFailure(worker, event.reason);
    }
    assign();
  }

  // ---- Progress -------------------------------------------------------------------------------------------

  function covered(shardIndex: number, epoch: number, step: number, lo: number, hi: number): void {
    const { board, plan } = state;
    if (state.phase !== "stepping" || plan?.epoch !== epoch || plan.step !== step || board === undefined) return;
    state.shards[shardIndex].covered.fill(1, lo, hi);
    for (let leaf = lo; leaf < hi; leaf++) {
      if (state.shards.every((shard) => shard.covered[leaf] === 1)) markDone(board, leaf);
    }
    closeDoneLeases();
  }

  function committed(shardIndex: number, epoch: number, step: number, scalars: ShardScalars): void {
    const { plan, planCoefficients } = state;
    if (state.phase !== "stepping" || plan?.epoch !== epoch || plan.step !== step) return;
    state.shards[shardIndex].committed = scalars;
    if (state.shards.some((shard) => shard.committed === undefined)) return;
    emit({
      kind: "committed",
      commit: {
        epoch,
        plan,
        coefficients: planCoefficients!,
        scalars: state.shards.map((shard) => shard.committed!),
        workers: state.workers.size,
        ms: { step: nowMs - stepOpenedMs, compute: computeMs },
      },
    });
    state.mark = {
      step: step + 1,
      microBatches: plan.firstMicroBatch + plan.microBatches,
      c1: plan.coefficients.c1,
      c2: plan.coefficients.c2,
    };
    furthestStep = Math.max(furthestStep, state.mark.step);
    atBoundary();
  }

  function evaluated(event: Extract<CoordinatorEvent, { kind: "evaluated" }>): void {
    const worker = state.workers.get(event.worker);
    const { board } = state;
    if (state.phase !== "evaluating" || board === undefined) return;
    if (event.epoch !== state.epoch || event.version !== state.mark.step) return;
    for (const [i, lossSum] of event.lossSums.entries()) {
      const batch = event.firstBatch + i;
      if (batch < board.count && markDone(board, batch)) evaluations[batch] = { lossSum, correct: event.correct[i] };
    }
    for (const lease of [...board.leases.values()]) {
      if (lease.worker !== event.worker || lease.lo !== event.firstBatch || worker === undefined) continue;
      const measuredMs = (nowMs - lease.grantedAtMs) / (lease.hi - lease.lo);
      worker.itemMs.evaluation = smooth(worker.itemMs.evaluation, measuredMs);
    }
    closeDoneLeases();
    if (!isComplete(board)) return assign();
    evaluatedStep = state.mark.step;
    // In the order of the batches, whoever computed them: float64 sums have an order too.
    let lossSum = 0;
    let correct = 0;
    for (const evaluation of evaluations) {
      lossSum += evaluation!.lossSum;
      correct += evaluation!.correct;
    }
    emit({
      kind: "evaluation",
      step: state.mark.step,
      microBatches: state.mark.microBatches,
      lossSum,
      correct,
    });
    atBoundary();
  }

  function checkpointed(shardIndex: number, step: number, error: string | undefined): void {
    if (error !== undefined) {
      return end({ ok: false, code: "exhausted", reason: `checkpoint ${step} could not be written: ${error}` });
    }
    const shard = state.shards[shardIndex];
    shard.checkpoints.add(step);
    if (writing?.step !== step) return;
    writing.waitingFor.delete(shardIndex);
    if (writing.waitingFor.size > 0) return;
    writing = undefined;
    emit({ kind: "checkpointWritten", step });
    // Only what every shard has counts: the newest of those must never go.
    const common = [...shard.checkpoints]
      .filter((other) => state.shards.every((each) => each.checkpoints.has(other)))
      .sort((a, b) => b - a)
      .slice(0, options.checkpointsKept);
    for (const [index, each] of state.shards.entries()) {
      each.checkpoints = new Set(common);
      emit({ kind: "keep", shard: index, steps: common });
    }
    if (state.phase === "boundary") atBoundary();
  }

  function end(outcome: Outcome): void {
    if (state.phase === "ended") return;
    state.phase = "ended";
    state.board = undefined;
    state.outcome = outcome;
    emit({ kind: "ended", outcome });
  }

  // ---- Workers --------------------------------------------------------------------------------------------

  function workerAttached(name: string): void {
    state.workers.set(name, createWorkerState(name, nowMs));
    if (state.phase === "gathering" || savedEpoch !== state.epoch) return;
    const version = state.phase === "restoring" ? target : state.mark.step;
    emit({ kind: "epochOpened", worker: name, epoch: state.epoch, version });
  }

  function workerLost(name: string): void {
    state.workers.delete(name);
    const { board } = state;
    if (board === undefined) return;
    for (const lease of board.leases.values()) if (lease.worker === name) board.leases.delete(lease.lease);
    assign();
  }

  function seen(name: string): WorkerState | undefined {
    const worker = state.workers.get(name);
    if (worker === undefined) return undefined;
    worker.lastSeenMs = nowMs;
    if (worker.silent) {
      worker.silent = false;
      note("info", `worker ${name} is back`);
    }
    return worker;
  }

  function tick(): void {
    for (const worker of state.workers.values()) {
      if (worker.silent || nowMs - worker.lastSeenMs <= SILENT_MS) continue;
      worker.silent = true;
      note("warn", `worker ${worker.worker} has been silent for ${SILENT_MS / 1000} s: its leases go to others`);
    }
    assign();
  }

  function dispatch(event: CoordinatorEvent): void {
    switch (event.kind) {
      case "shardAttached":
        state.shards[event.shard].attached = true;
        state.shards[event.shard].checkpoints = new Set(event.checkpoints);
        return gather();
      case "shardLost":
        state.shards[event.shard].attached = false;
        if (state.phase !== "ended") note("warn", `shard ${event.shard} is lost: ${event.reason}`);
        return gather();
      case "epochSaved":
        return epochSaved(event.epoch);
      case "restored":
        return restored(event.shard, event.epoch, event.mark);
      case "restoreFailed":
        return restoreFailed(event.shard, event.epoch, event.step, event.reason);
      case "covered":
        return covered(event.shard, event.epoch, event.step, event.lo, event.hi);
      case "committed":
        return committed(event.shard, event.epoch, event.step, event.scalars);
      case "checkpointed":
        return checkpointed(event.shard, event.step, event.error);
      case "workerAttached":
        return workerAttached(event.worker);
      case "workerLost":
        return workerLost(event.worker);
      case "heartbeat":
        seen(event.worker);
        return assign();
      case "weightsHeld": {
        const worker = seen(event.worker);
        if (worker === undefined || event.epoch !== state.epoch || worker.ready) return;
        worker.ready = true;
        return assign();
      }
      case "leaseComputed": {
        const worker = seen(event.worker);
        if (worker === undefined) return;
        worker.running.delete(event.lease);
        const lease = state.board?.leases.get(event.lease);
        if (lease !== undefined && state.phase === "stepping") {
          worker.itemMs.step = smooth(worker.itemMs.step, event.computeMs / (lease.hi - lease.lo));
          computeMs = Math.max(computeMs, event.computeMs);
        }
        return assign();
      }
      case "leaseFailed":
        seen(event.worker);
        return leaseFailed(event);
      case "evaluated":
        seen(event.worker);
        return evaluated(event);
      case "evaluationFailed": {
        const worker = seen(event.worker);
        if (worker === undefined || state.phase !== "evaluating" || event.version !== state.mark.step) return;
        for (const lease of worker.running) release(worker, lease);
        countFailure(worker, event.reason);
        return assign();
      }
      case "workerLeaving": {
        const worker = seen(event.worker);
        if (worker !== undefined) worker.draining = true;
        return;
      }
      case "stop":
        stopping = true;
        if (state.phase === "gathering" || state.phase === "restoring") {
          return end({ ok: true, reason: "stopped", mark: state.mark });
        }
        if (state.phase === "evaluating" || state.phase === "boundary") atBoundary();
        // Nobody is left to finish the open step: the newest checkpoint is where the run stands.
        else if (state.workers.size === 0) end({ ok: true, reason: "stopped", mark: state.mark });
        return;
      case "checkpointNow":
        checkpointAsked = true;
        return;
      case "tick":
        return tick();
    }
  }

  return {
    state,
    handle(event, at) {
      effects = [];
      nowMs = at;
      if (state.phase === "ended" && event.kind !== "workerLost") return [];
      dispatch(event);
      return effects;
    },
  };
}
