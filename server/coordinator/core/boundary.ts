import type { StepPlan } from "../../../shared/steps/index.js";
import { createBoard, isComplete, markDone } from "./board.js";
import { announceKappa, microBatchesOfStep } from "./elastic.js";
import { forgetFailures } from "./failures.js";
import { assign, closeDoneLeases } from "./leasing.js";
import type { CoordinatorEvent, ShardScalars } from "./messages.js";
import { addNoise } from "./noise.js";
import { phasesOf } from "./phases.js";
import { type CoordinatorRun, emit, end } from "./run.js";
import { smooth } from "./workers.js";

/**
 * The way from one boundary to the next. At a boundary the slices of all shards are of one version s. Then, in this
 * order: the checkpoint of s is ordered if it is due, s is evaluated if that is due, and step s is opened. Step s waits
 * for the evaluation because version s no longer exists anywhere once step s has committed: the evaluation of a lost
 * worker could not be given to another one.
 */

/**
 * Whether a multiple of `every` lies in (n before, n]: this is then the first boundary at or after it, whatever κ was.
 */
function isDue(run: CoordinatorRun, every: number): boolean {
  return Math.floor(run.state.mark.microBatches / every) > Math.floor(run.previousBoundary / every);
}

export function atBoundary(run: CoordinatorRun): void {
  run.state.phase = "boundary";
  run.state.board = undefined;
  run.state.plan = undefined;
  run.undecided = false;
  const { step, microBatches } = run.state.mark;
  const complete = microBatches >= run.options.microBatchesTotal;
  const last = complete || run.stopping;

  if (run.orderedStep !== step && (isDue(run, run.options.checkpointEvery) || last || run.checkpointAsked)) {
    // One at a time, because each holds a copy of the slice in memory.
    if (run.writing !== undefined) return;
    run.orderedStep = step;
    run.checkpointAsked = false;
    run.writing = { step, waitingFor: new Set(run.state.shards.keys()) };
    for (const shard of run.state.shards.keys()) {
      emit(run, { kind: "checkpoint", shard, term: run.state.term, mark: run.state.mark });
    }
  }
  const evaluationDue = microBatches === 0 || complete || isDue(run, run.options.evaluateEvery);
  if (
    evaluationDue &&
    !(run.stopping && !complete) &&
    run.options.evaluationBatches > 0 &&
    run.evaluatedStep !== step
  ) {
    run.state.phase = "evaluating";
    run.state.board = createBoard(run.options.evaluationBatches);
    run.evaluations = new Array(run.options.evaluationBatches).fill(undefined);
    return assign(run);
  }
  if (last) {
    if (run.writing === undefined)
      end(run, { ok: true, reason: complete ? "complete" : "stopped", mark: run.state.mark });
    return;
  }
  openStep(run);
}

function openStep(run: CoordinatorRun): void {
  const { step, microBatches: firstMicroBatch, c1, c2 } = run.state.mark;
  const microBatches = microBatchesOfStep(run);
  if (microBatches === undefined) return;
  const coefficients = run.options.coefficients({ firstMicroBatch, microBatches, c1, c2 });
  const leaf = run.options.leafCoefficients?.(microBatches);
  const plan: StepPlan = {
    term: run.state.term,
    step,
    firstMicroBatch,
    microBatches,
    coefficients,
    leafCoefficients1: leaf?.w1,
    leafCoefficients2: leaf?.w2,
  };
  announceKappa(run, coefficients);
  run.state.phase = "stepping";
  run.state.microBatches = microBatches;
  run.state.plan = plan;
  run.state.planCoefficients = coefficients;
  run.state.board = createBoard(microBatches);
  run.superseded = false;
  run.strandedSinceMs = Number.NaN;
  run.stepOpenedMs = run.nowMs;
  run.lastComputed = undefined;
  for (const [index, shard] of run.state.shards.entries()) {
    shard.covered = new Uint8Array(microBatches);
    shard.committed = undefined;
    emit(run, { kind: "plan", shard: index, plan });
  }
  assign(run);
}

export function covered(
  run: CoordinatorRun,
  shardIndex: number,
  term: number,
  step: number,
  lo: number,
  hi: number,
): void {
  const { board, plan } = run.state;
  if (run.state.phase !== "stepping" || plan?.term !== term || plan.step !== step || board === undefined) return;
  run.state.shards[shardIndex].covered.fill(1, lo, hi);
  let isNews = false;
  for (let leaf = lo; leaf < hi; leaf++) {
    if (!run.state.shards.every((shard) => shard.covered[leaf] === 1) || !markDone(board, leaf)) continue;
    forgetFailures(run);
    isNews = true;
  }
  // A leaf is done when the last shard reports it as covered; nothing else ends a lease.
  if (isNews) closeDoneLeases(run);
}

export function superseded(run: CoordinatorRun, term: number, step: number): void {
  const { plan } = run.state;
  if (run.state.phase === "stepping" && plan?.term === term && plan.step === step) run.superseded = true;
}

export function committed(
  run: CoordinatorRun,
  shardIndex: number,
  term: number,
  step: number,
  scalars: ShardScalars,
): void {
  const { plan, planCoefficients } = run.state;
  if (run.state.phase !== "stepping" || plan?.term !== term || plan.step !== step) return;
  run.state.shards[shardIndex].committed = scalars;
  // A slice of only frozen weights commits at once and keeps the version's weights.
  if (scalars.ledger.length > 0) run.superseded = true;
  if (run.state.shards.some((shard) => shard.committed === undefined)) return;
  const all = run.state.shards.map((shard) => shard.committed!);
  run.state.noise = addNoise(run.state.noise, plan, all, run.options.microBatchSize);
  emit(run, {
    kind: "committed",
    commit: {
      term,
      plan,
      coefficients: planCoefficients!,
      scalars: all,
      noise: run.state.noise,
      ms: phasesOf(run.stepOpenedMs, run.lastComputed, run.nowMs),
    },
  });
  run.state.mark = {
    step: step + 1,
    microBatches: plan.firstMicroBatch + plan.microBatches,
    c1: plan.coefficients.c1,
    c2: plan.coefficients.c2,
    ...(run.state.noise.weight > 0 && { noise: run.state.noise }),
  };
  run.previousBoundary = plan.firstMicroBatch;
  run.furthestStep = Math.max(run.furthestStep, run.state.mark.step);
  run.recordedSteps = run.state.mark.step;
  atBoundary(run);
}

export function evaluated(run: CoordinatorRun, event: Extract<CoordinatorEvent, { kind: "evaluated" }>): void {
  const worker = run.state.workers.get(event.worker);
  const { board } = run.state;
  if (run.state.phase !== "evaluating" || board === undefined) return;
  if (event.term !== run.state.term || event.version !== run.state.mark.step) return;
  for (const [i, lossSum] of event.lossSums.entries()) {
    const batch = event.firstBatch + i;
    if (batch >= board.count || !markDone(board, batch)) continue;
    run.evaluations[batch] = { lossSum, correct: event.correct[i] };
    forgetFailures(run);
  }
  for (const lease of [...board.leases.values()]) {
    if (lease.worker !== event.worker || lease.lo !== event.firstBatch || worker === undefined) continue;
    const measuredMs = (run.nowMs - lease.grantedAtMs) / (lease.hi - lease.lo);
    worker.itemMs.evaluation = smooth(worker.itemMs.evaluation, measuredMs);
  }
  closeDoneLeases(run);
  if (!isComplete(board)) return assign(run);
  run.evaluatedStep = run.state.mark.step;
  // In the order of the batches, regardless of who computed them: a float64 sum depends on its order.
  let lossSum = 0;
  let correct = 0;
  for (const evaluation of run.evaluations) {
    lossSum += evaluation!.lossSum;
    correct += evaluation!.correct;
  }
  emit(run, {
    kind: "evaluation",
    step: run.state.mark.step,
    microBatches: run.state.mark.microBatches,
    lossSum,
    correct,
  });
  atBoundary(run);
}

export function checkpointed(run: CoordinatorRun, shardIndex: number, step: number, error: string | undefined): void {
  if (error !== undefined) {
    return end(run, { ok: false, code: "exhausted", reason: error });
  }
  const shard = run.state.shards[shardIndex];
  shard.checkpoints.add(step);
  if (run.writing?.step !== step) return;
  run.writing.waitingFor.delete(shardIndex);
  if (run.writing.waitingFor.size > 0) return;
  run.writing = undefined;
  emit(run, { kind: "checkpointWritten", step });
  // Only checkpoints that every shard has are usable: the newest of these must never be deleted.
  const common = [...shard.checkpoints]
    .filter((other) => run.state.shards.every((each) => each.checkpoints.has(other)))
    .sort((a, b) => b - a)
    .slice(0, run.options.checkpointsKept);
  for (const [index, each] of run.state.shards.entries()) {
    each.checkpoints = new Set(common);
    emit(run, { kind: "keep", shard: index, steps: common });
  }
  if (run.state.phase === "boundary") atBoundary(run);
}
